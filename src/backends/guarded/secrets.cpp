// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/secrets.hpp"

#include "backends/common/posix_file.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace sparkhost::detail::guarded {

namespace {

constexpr std::size_t key_size = 32;

std::string to_hex(std::string_view bytes) {
    std::string hex;
    for (const char each : bytes) {
        const auto byte = static_cast<unsigned char>(each);
        hex += "0123456789abcdef"[byte >> 4U];
        hex += "0123456789abcdef"[byte & 0xfU];
    }
    return hex;
}

}  // namespace

Result<std::string> load_or_make_key(const std::string& path) {
    auto key = read_whole_file(path, 4096);
    if (key) {
        return key->size() == key_size
                   ? key
                   : Result<std::string>(Error(
                         Errc::backend_failed,
                         path + " is no key: it must have " + std::to_string(key_size) + " bytes"));
    }
    if (!key.error().is(Errc::not_found)) {
        return key;
    }
    std::string made(key_size, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(made.data()), static_cast<int>(made.size())) !=
        1) {
        return Error(Errc::backend_failed, "there are no random numbers for a key");
    }
    if (auto written = write_file_durably(path, made); !written) {
        return written.error();
    }
    return made;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    return {reinterpret_cast<const char*>(digest), size};
}

std::string guard_secret_of(std::string_view key, std::string_view ticket, std::string_view nonce) {
    std::string text(ticket);
    text += '\0';
    text += nonce;
    return to_hex(hmac_sha256(key, text));
}

bool equal_secrets(std::string_view one, std::string_view other) {
    return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string short_hash(std::string_view bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
    return to_hex({reinterpret_cast<const char*>(digest), 4});
}

}  // namespace sparkhost::detail::guarded

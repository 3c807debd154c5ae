// SPDX-License-Identifier: Apache-2.0
#include "core/secret.hpp"

#include <boost/algorithm/hex.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <iterator>
#include <stdexcept>

namespace sparkhost::detail {

std::string make_secret() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw std::runtime_error("the system gives no random numbers");
    }
    std::string digits;
    boost::algorithm::hex_lower(bytes.begin(), bytes.end(), std::back_inserter(digits));
    return digits;
}

std::string hash_secret(std::string_view secret) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int size = 0;
    if (EVP_Digest(secret.data(), secret.size(), sum.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not available");
    }
    std::string digits;
    boost::algorithm::hex_lower(sum.begin(), sum.begin() + size, std::back_inserter(digits));
    return digits;
}

bool is_secret(std::string_view secret, std::string_view stored_hash) {
    const auto hash = hash_secret(secret);
    return hash.size() == stored_hash.size() &&
           CRYPTO_memcmp(hash.data(), stored_hash.data(), hash.size()) == 0;
}

}  // namespace sparkhost::detail

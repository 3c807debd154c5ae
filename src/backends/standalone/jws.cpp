// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/jws.hpp"

#include "backends/common/base64.hpp"
#include "backends/common/posix_file.hpp"
#include "backends/guarded/secrets.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>

namespace sparkhost::detail::standalone {

namespace {

constexpr std::size_t shortest_key = 32;

std::string to_base64url(std::string_view bytes) {
    std::string text = to_base64(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    text.erase(std::find(text.begin(), text.end(), '='), text.end());
    return text;
}

}  // namespace

Result<std::string> load_jws_key(const std::string& path) {
    const std::string option = "StandaloneBackendOptions::jws_key_file: ";
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return Error(Errc::backend_failed, option + errno_error("read", path, errno).detail);
    }
    if ((status.st_mode & 077U) != 0) {
        return Error(Errc::backend_failed, option + path + " can be read by others: chmod 600 it");
    }
    auto text = read_whole_file(path, 64 * 1024);
    if (!text) {
        return Error(Errc::backend_failed, option + text.error().detail);
    }
    std::replace(text->begin(), text->end(), '-', '+');
    std::replace(text->begin(), text->end(), '_', '/');
    std::erase_if(*text, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '='; });
    text->append((4 - text->size() % 4) % 4, '=');
    auto key = from_base64(*text);
    if (!key || key->size() < shortest_key) {
        return Error(Errc::backend_failed, option + path + " must hold at least " +
                                               std::to_string(shortest_key) +
                                               " bytes in base64url");
    }
    return std::move(*key);
}

std::string make_jws(std::string_view key, std::string_view payload) {
    const std::string signing_input =
        to_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + to_base64url(payload);
    return signing_input + "." + to_base64url(guarded::hmac_sha256(key, signing_input));
}

}  // namespace sparkhost::detail::standalone

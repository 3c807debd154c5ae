// SPDX-License-Identifier: Apache-2.0

// Everything of a request that a stranger writes: the bytes on the wire, the target with its
// parameters, the headers that are parsed, the bodies of POST. The first byte chooses.

#include "rest/allowed_host.hpp"
#include "rest/conditional.hpp"
#include "rest/livy_request.hpp"
#include "rest/multipart.hpp"
#include "rest/native_batch.hpp"
#include "rest/request_reader.hpp"
#include "rest/target.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace sparkhost;
using namespace sparkhost::detail::rest;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void fuzz_body(std::string_view text) {
    const auto create = read_create_batch(text);
    if (!create) {
        require(create.error().is(Errc::invalid_argument) && !create.error().detail.empty());
        return;
    }
    BatchRecord record;
    record.spec = create->spec;
    require(!native_batch_json(record).empty());  // redaction and the codec take anything
}

void fuzz_session_body(std::string_view text) {
    const auto session = read_create_session(text);
    require(session ||
            (session.error().is(Errc::invalid_argument) && !session.error().detail.empty()));
    const auto timeout = parse_duration(text);
    require(timeout || !timeout.error().detail.empty());
    const auto statement = read_create_statement(text);
    require(statement || !statement.error().detail.empty());
    require(!statement || !statement->code || statement->code->find("\r\n") == std::string::npos);
}

void fuzz_small_bodies(std::string_view text) {
    const auto job = read_submit_job(text);
    require(job || !job.error().detail.empty());
    const auto file = read_add_file(text);
    require(file || !file.error().detail.empty());
    const auto completion = read_complete_code(text);
    require(completion || !completion.error().detail.empty());
}

/// The first line is the header, the rest the body.
void fuzz_form(std::string_view text) {
    const auto line = std::min(text.find('\n'), text.size());
    std::string body(text.substr(std::min(line + 1, text.size())));
    const auto file = find_form_file(text.substr(0, line), body, "file");
    require(file || file.error().is(Errc::not_found) || !file.error().detail.empty());
    if (file && !file->content.empty()) {
        const auto* begin = body.data();
        require(file->content.data() >= begin &&
                file->content.data() + file->content.size() <= begin + body.size());
    }
}

void fuzz_target(std::string_view text) {
    const auto target = parse_target(text);
    if (!target) {
        return;
    }
    for (const auto& segment : target->segments) {
        require(!segment.empty() && segment != "." && segment != "..");
    }
    (void)int_param(*target, "from", 0);
    const auto wait = parse_wait<SessionState>(*target, std::chrono::seconds(300), true);
    require(!wait || !wait->duration || *wait->duration <= std::chrono::seconds(300));
}

void fuzz_header(std::string_view text) {
    static const AllowedHosts hosts({"spark.example.org"});
    (void)hosts.allows_authority(text);
    (void)hosts.allows_origin(text);
    (void)parse_if_none_match(text);
    (void)parse_java_int(text);
}

/// The same requests must come out, whether the bytes come at once or one by one. (That what
/// follows them is no HTTP may be seen earlier in one case than in the other.)
std::string read_requests(std::string_view text, std::size_t part) {
    const auto large = std::make_shared<LargeBodies>(1024, 4096);
    RequestReader reader({.max_header = 512, .max_body = 256, .large = large});
    std::string seen;
    for (;;) {
        const auto step = reader.step();
        if (step == RequestReader::Step::refused) {
            return seen;
        }
        if (step == RequestReader::Step::complete) {
            const auto request = reader.take();
            seen += "|" + std::string(request.target()) + " " + request.body();
        }
        if (step == RequestReader::Step::need_more) {
            if (text.empty()) {
                return seen;
            }
            const auto room = reader.prepare();
            require(room.size() > 0);
            const auto size = std::min({text.size(), room.size(), part});
            std::memcpy(room.data(), text.data(), size);
            reader.commit(size);
            text.remove_prefix(size);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (static_cast<unsigned char>(data[0] - '0') % 5) {
        case 0:
            fuzz_body(text);
            fuzz_session_body(text);
            fuzz_small_bodies(text);
            break;
        case 1:
            fuzz_target(text);
            break;
        case 2:
            fuzz_header(text);
            break;
        case 4:
            fuzz_form(text);
            break;
        default:
            require(read_requests(text, 1) == read_requests(text, text.size() + 1));
            break;
    }
    return 0;
}

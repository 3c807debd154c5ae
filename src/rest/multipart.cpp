// SPDX-License-Identifier: Apache-2.0
#include "rest/multipart.hpp"

#define RESTINIO_USE_BOOST_ASIO 1
#include <restinio/helpers/http_field_parsers/content-disposition.hpp>
#include <restinio/helpers/multipart_body.hpp>

#include <algorithm>
#include <optional>

namespace sparkhost::detail::rest {

namespace multipart {

namespace parsers = restinio::http_field_parsers;

/// A parameter of a header field, such as "boundary".
template <class Parameters>
std::optional<std::string> parameter(const Parameters& parameters, std::string_view name) {
    const auto found = std::ranges::find_if(
        parameters, [&](const auto& one) { return std::string_view(one.first) == name; });
    return found == parameters.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> boundary_of(std::string_view content_type) {
    const auto type = parsers::content_type_value_t::try_parse(content_type);
    if (!type || type->media_type.type != "multipart" || type->media_type.subtype != "form-data") {
        return std::nullopt;
    }
    return parameter(type->media_type.parameters, "boundary");
}

Error broken(const std::string& what) {
    return Error(Errc::invalid_argument, what);
}

}  // namespace multipart

Result<FormFile> find_form_file(std::string_view content_type, std::string& body,
                                std::string_view field) {
    namespace multipart_body = restinio::multipart_body;
    const auto boundary = multipart::boundary_of(content_type);
    if (!boundary) {
        return multipart::broken(
            "A file is sent as multipart/form-data with a boundary (curl -F file=@PATH).");
    }
    if (body.ends_with("--")) {
        body += "\r\n";  // the last line may end without it
    }
    const auto parts = multipart_body::split_multipart_body(body, "--" + *boundary);
    if (parts.empty()) {
        return multipart::broken(
            "The multipart body is not complete, or its boundary is not that "
            "of the Content-Type header.");
    }
    for (const auto& part : parts) {
        const auto parsed = multipart_body::try_parse_part(part);
        if (!parsed) {
            return multipart::broken("A part of the multipart body has no proper header.");
        }
        const auto disposition =
            parsed->fields.get_field_or(restinio::http_field::content_disposition, "");
        const auto value = multipart::parsers::content_disposition_value_t::try_parse(disposition);
        if (value && multipart::parameter(value->parameters, "name") == field) {
            FormFile file;
            file.file_name =
                multipart::parameter(value->parameters, "filename").value_or(std::string());
            file.content = parsed->body;
            return file;
        }
    }
    return Error(Errc::not_found, "there is no such part", std::string(field));
}

}  // namespace sparkhost::detail::rest

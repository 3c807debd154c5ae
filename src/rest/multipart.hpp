// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_MULTIPART_HPP
#define SPARKHOST_SRC_REST_MULTIPART_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::rest {

/// A file of a form.
struct FormFile {
    std::string file_name{};     ///< as the client named it
    std::string_view content{};  ///< within the body
};

/// The first part named `field` of a multipart/form-data body, which may get its missing last line
/// end. Errors: not_found – there is no such part; invalid_argument – this is no form, or it is
/// broken.
Result<FormFile> find_form_file(std::string_view content_type, std::string& body,
                                std::string_view field);

}  // namespace sparkhost::detail::rest

#endif

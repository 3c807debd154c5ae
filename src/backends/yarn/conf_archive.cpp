// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/conf_archive.hpp"

#include <zip.h>

#include <cstring>
#include <memory>

namespace sparkhost::detail::yarn {

namespace {

// A zip has no earlier day, and knows no time zone.
constexpr zip_uint16_t first_day = (0 << 9) | (1 << 5) | 1;

Error failure(const char* words) {
    return Error(Errc::backend_failed, std::string("no zip could be made: ") + words);
}

/// Closes what was not closed, without writing.
struct Discard {
    void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
};
struct Free {
    void operator()(zip_source_t* source) const noexcept { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Source = std::unique_ptr<zip_source_t, Free>;

/// The content stays the caller's: it outlives the archive.
Result<void> add(zip_t* archive, const std::string& name, const std::string& content) {
    Source source(zip_source_buffer(archive, content.data(), content.size(), 0));
    if (!source) {
        return failure(zip_strerror(archive));
    }
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        return failure(zip_strerror(archive));
    }
    source.release();  // the archive's now
    const auto entry = static_cast<zip_uint64_t>(index);
    if (zip_file_set_dostime(archive, entry, 0, first_day, 0) != 0 ||
        zip_file_set_external_attributes(archive, entry, 0, ZIP_OPSYS_UNIX, 0100644U << 16U) != 0 ||
        zip_set_file_compression(archive, entry, ZIP_CM_DEFLATE, 0) != 0) {
        return failure(zip_strerror(archive));
    }
    return ok();
}

Result<std::string> bytes_of(zip_source_t* source) {
    zip_stat_t status;
    zip_stat_init(&status);
    if (zip_source_stat(source, &status) != 0 || (status.valid & ZIP_STAT_SIZE) == 0 ||
        zip_source_open(source) != 0) {
        return failure(zip_error_strerror(zip_source_error(source)));
    }
    std::string bytes(status.size, '\0');
    const zip_int64_t count = zip_source_read(source, bytes.data(), bytes.size());
    zip_source_close(source);
    if (count < 0 || static_cast<zip_uint64_t>(count) != bytes.size()) {
        return failure("its bytes could not be read back");
    }
    return bytes;
}

}  // namespace

Result<std::string> make_zip(const std::map<std::string, std::string>& files) {
    zip_error_t error;
    zip_error_init(&error);
    Source buffer(zip_source_buffer_create(nullptr, 0, 0, &error));
    if (!buffer) {
        return failure(zip_error_strerror(&error));
    }
    Archive archive(zip_open_from_source(buffer.get(), ZIP_TRUNCATE, &error));
    if (!archive) {
        return failure(zip_error_strerror(&error));
    }
    zip_source_keep(buffer.get());  // the archive frees it, too
    for (const auto& [name, content] : files) {
        if (auto added = add(archive.get(), name, content); !added) {
            return added.error();
        }
    }
    if (zip_close(archive.get()) != 0) {
        return failure(zip_strerror(archive.get()));
    }
    archive.release();
    return bytes_of(buffer.get());
}

}  // namespace sparkhost::detail::yarn

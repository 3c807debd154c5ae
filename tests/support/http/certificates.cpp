// SPDX-License-Identifier: Apache-2.0
#include "support/http/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace sparkhost::test {

namespace {

template <class T, void (*Free)(T*)>
struct Freed {
    void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;

void need(bool holds, const char* what) {
    if (!holds) {
        throw std::runtime_error(std::string("certificates: ") + what);
    }
}

std::string text_of(BIO* memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string pem(X509* certificate) {
    const Memory memory(BIO_new(BIO_s_mem()));
    need(PEM_write_bio_X509(memory.get(), certificate) == 1, "write");
    return text_of(memory.get());
}

std::string pem(EVP_PKEY* key) {
    const Memory memory(BIO_new(BIO_s_mem()));
    need(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
         "write key");
    return text_of(memory.get());
}

Certificate certificate_of(const std::string& text) {
    const Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    return Certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
}

Key key_of(const std::string& text) {
    const Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    return Key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    need(extension != nullptr, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

Certificate blank(const CertificateRequest& request, EVP_PKEY* key) {
    using std::chrono::seconds;
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    std::uint32_t serial = 0;
    need(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "random");
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial / 2 + 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), seconds(request.begins).count());
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds(request.ends).count());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(request.common_name.c_str()),
                               -1, -1, 0);
    X509_set_pubkey(certificate.get(), key);
    return certificate;
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name) {
    const Key key(EVP_EC_gen("P-256"));
    CertificateRequest request;
    request.common_name = name;
    const Certificate certificate = blank(request, key.get());
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    extend(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign");
    need(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "sign");
    own_.certificate = pem(certificate.get());
    own_.key = pem(key.get());
}

CertifiedKey TestAuthority::issue(const CertificateRequest& request) const {
    const Certificate issuer = certificate_of(own_.certificate);
    const Key issuer_key = key_of(own_.key);
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = blank(request, key.get());
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
    std::string names;
    for (const std::string& name : request.names) {
        names += (names.empty() ? "" : ",") + name;
    }
    if (!names.empty()) {
        extend(certificate.get(), issuer.get(), NID_subject_alt_name, names);
    }
    need(X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) > 0, "sign");
    CertifiedKey issued;
    issued.certificate = pem(certificate.get());
    issued.key = pem(key.get());
    return issued;
}

}  // namespace sparkhost::test

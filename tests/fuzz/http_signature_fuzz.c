/* Hostile fields of signed requests: Signature-Input, a zero, Signature and Content-Digest. */
#include <assert.h>
#include <string.h>

#include "envelope/envelope_http.h"

static struct rs_str field(const void *context, const char *name)
{
	(void)name;
	return *(const struct rs_str *)context;
}

/* What was read is written so that it is read again as the same. */
static void check_again(const struct rs_http_signature *signature, struct rs_str bytes)
{
	struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_http_signature second;
	struct rs_error err = {0};
	rs_buffer_init(&again, 4096);
	rs_buffer_printf(&again, "l=%s", signature->parameters);
	enum rs_code code = rs_http_signature_parse(rs_buffer_str(&again), bytes, NULL, &second, &err);
	assert(code == RS_OK && strcmp(second.parameters, signature->parameters) == 0);
	assert(second.covered_count == signature->covered_count && second.created_s == signature->created_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rs_str one = {"l=:AA==:", 8};
	const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	struct rs_str input = {(const char *)data, first},
		      rest = {(const char *)data + first + (cut != NULL), size - first - (cut != NULL)};
	struct rs_http_message message = {.method = RS_STR("PUT"),
	                                  .authority = RS_STR("a"),
	                                  .target = rest,
	                                  .field = field,
	                                  .context = &rest};
	struct rs_buffer base RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_http_signature signature;
	struct rs_cose_key key = {.algorithm = RS_COSE_EDDSA};
	struct rs_digest digest;
	struct rs_error err = {0};
	rs_buffer_init(&base, 65536);
	(void)rs_content_digest_parse(rest, &digest, &err);
	if (rs_http_signature_parse(input, rest, NULL, &signature, &err) != RS_OK)
		return 0;
	(void)rs_http_key_parse(signature.keyid, &key, &err);
	(void)rs_http_signature_base(&signature, &message, &base, &err);
	assert(rs_http_signature_verify(&signature, &message, &key, &err) != RS_OK);
	check_again(&signature, one);
	return 0;
}

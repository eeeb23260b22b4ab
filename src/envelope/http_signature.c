/* HTTP Message Signatures (RFC 9421) and Content-Digest (RFC 9530). Components with parameters are not known here. */
#include <stdio.h>
#include <string.h>

#include "envelope/envelope_http.h"
#include "fields.h"

#define BASE_MAX ((size_t)8192)
#define LABEL "radseal"
#define ALGORITHM_EDDSA "ed25519"
#define ALGORITHM_ES256 "ecdsa-p256-sha256"

static enum rs_code put_text(char *out, size_t size, struct rs_str text, const char *what,
                             struct rs_error *err)
{
	if (text.size >= size)
		return rs_error_set(err, RS_TOO_LARGE, "the signature's %s is too long", what);
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
	return RS_OK;
}

static enum rs_code put_time(const struct item *item, uint64_t *out, bool *out_has, struct rs_error *err)
{
	if (*out_has || item->kind != ITEM_NUMBER || !rs_parse_u64(item->text, out))
		return rs_error_set(err, RS_MALFORMED, "a signature's time is no number of seconds");
	*out_has = true;
	return RS_OK;
}

/* Where the tag goes that the signature is looked for by. */
struct input {
	struct rs_http_signature *signature;
	struct rs_str label, tag;
};

static enum rs_code take_parameter(struct input *input, struct rs_str key, const struct item *item,
                                   struct rs_error *err)
{
	struct rs_http_signature *signature = input->signature;
	if (rs_str_equal_text(key, "created"))
		return put_time(item, &signature->created_s, &signature->has_created, err);
	if (rs_str_equal_text(key, "expires"))
		return put_time(item, &signature->expires_s, &signature->has_expires, err);
	bool is_keyid = rs_str_equal_text(key, "keyid"), is_alg = rs_str_equal_text(key, "alg"),
	     is_tag = rs_str_equal_text(key, "tag");
	if (!is_keyid && !is_alg && !is_tag)
		return RS_OK;
	if (item->kind != ITEM_STRING || (is_tag && input->tag.size) || (is_keyid && signature->keyid[0]) ||
	    (is_alg && signature->algorithm[0]))
		return rs_error_set(err, RS_MALFORMED,
		                    "a signature's " RS_STR_FORMAT " is no text, or twice there",
		                    RS_STR_ARGUMENTS(key));
	if (is_tag)
		input->tag = item->text;
	else if (is_alg)
		return put_text(signature->algorithm, sizeof signature->algorithm, item->text, "alg", err);
	else if (item->text.size < sizeof signature->keyid)
		return put_text(signature->keyid, sizeof signature->keyid, item->text, "keyid", err);
	return RS_OK;
}

static enum rs_code take_component(struct rs_http_signature *signature, const struct item *item,
                                   struct rs_error *err)
{
	if (item->kind != ITEM_STRING || item->text.size == 0)
		return rs_error_set(err, RS_MALFORMED, "a signature covers something that has no name");
	if (signature->covered_count == RS_HTTP_COVERED_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a signature covers more than %d components",
		                    RS_HTTP_COVERED_MAX);
	char *name = signature->covered[signature->covered_count];
	RS_TRY(put_text(name, sizeof signature->covered[0], item->text, "component", err));
	if (rs_http_signature_covers(signature, name))
		return rs_error_set(err, RS_MALFORMED, "a signature covers something twice");
	signature->covered_count++;
	return RS_OK;
}

/* As section 3.1 of RFC 8941 writes lists, whatever spaces the field had. */
static void put_item(struct rs_buffer *out, const struct item *item)
{
	static const char *const around[] = {[ITEM_STRING] = "\"", [ITEM_BYTES] = ":"};
	const char *mark = item->kind == ITEM_STRING || item->kind == ITEM_BYTES ? around[item->kind] : "";
	rs_buffer_append_text(out, mark);
	rs_buffer_append_str(out, item->text);
	rs_buffer_append_text(out, mark);
}

static enum rs_code read_list(struct fields *fields, struct input *input, struct rs_buffer *out,
                              struct rs_error *err)
{
	struct rs_str key;
	struct item item;
	bool first = true, any = true;
	rs_buffer_append_text(out, "(");
	for (;;) {
		RS_TRY(fields_listed(fields, &first, &item, &any, err));
		if (!any)
			break;
		rs_buffer_append_text(out, input->signature->covered_count ? " " : "");
		put_item(out, &item);
		RS_TRY(take_component(input->signature, &item, err));
		RS_TRY(fields_parameter(fields, &key, &item, &any, err));
		if (any)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "a signature covers a component with parameters");
	}
	rs_buffer_append_text(out, ")");
	for (;;) {
		RS_TRY(fields_parameter(fields, &key, &item, &any, err));
		if (!any)
			return rs_buffer_check(out, "a signature's input", err);
		RS_TRY(take_parameter(input, key, &item, err));
		rs_buffer_append_text(out, ";");
		rs_buffer_append_str(out, key);
		if (item.kind == ITEM_SWITCH && item.text.data[1] == '1')
			continue;
		rs_buffer_append_text(out, "=");
		put_item(out, &item);
	}
}

static enum rs_code find_input(struct rs_str text, const char *tag, struct input *out, struct rs_error *err)
{
	struct rs_http_signature *signature = out->signature;
	struct fields fields;
	bool first = true, any;
	RS_TRY(fields_init(&fields, text, err));
	for (;;) {
		struct rs_buffer parameters = {.data = (uint8_t *)signature->parameters,
		                               .capacity = sizeof signature->parameters - 1,
		                               .maximum = sizeof signature->parameters - 1};
		RS_TRY(fields_key(&fields, &first, &out->label, &any, err));
		if (!any)
			return rs_error_set(err, RS_NOT_FOUND,
			                    "the request has no signature that belongs here");
		memset(signature, 0, sizeof *signature);
		out->tag = (struct rs_str){NULL, 0};
		if (!fields_list(&fields))
			return rs_error_set(err, RS_MALFORMED, "Signature-Input: a member is no list");
		RS_TRY(read_list(&fields, out, &parameters, err));
		if (!tag || rs_str_equal_text(out->tag, tag))
			return RS_OK;
	}
}

static enum rs_code find_bytes(struct rs_str text, struct rs_str label, uint8_t *out, size_t *out_size,
                               size_t maximum, struct rs_error *err)
{
	struct fields fields;
	struct rs_str key;
	struct item item;
	bool first = true, any, found = false;
	RS_TRY(fields_init(&fields, text, err));
	for (;;) {
		RS_TRY(fields_key(&fields, &first, &key, &any, err));
		if (!any)
			return found ? RS_OK
			             : rs_error_set(err, RS_NOT_FOUND, "it has no member '" RS_STR_FORMAT "'",
			                            RS_STR_ARGUMENTS(label));
		if (!rs_str_equal(key, label)) {
			RS_TRY(fields_pass(&fields, err));
			continue;
		}
		RS_TRY(fields_item(&fields, &item, err));
		if (found || item.kind != ITEM_BYTES || item.text.size / 4 * 3 > maximum ||
		    !rs_base64_decode(item.text, out, out_size))
			return rs_error_set(err, RS_MALFORMED, "its member '" RS_STR_FORMAT "' is not bytes",
			                    RS_STR_ARGUMENTS(label));
		found = true;
	}
}

enum rs_code rs_http_signature_parse(struct rs_str input, struct rs_str signature, const char *tag,
                                     struct rs_http_signature *out, struct rs_error *err)
{
	struct input found = {.signature = out};
	RS_TRY(find_input(input, tag, &found, err));
	if (find_bytes(signature, found.label, out->bytes, &out->size, sizeof out->bytes, err) != RS_OK)
		return rs_error_context(err, "Signature");
	return RS_OK;
}

bool rs_http_signature_covers(const struct rs_http_signature *signature, const char *component)
{
	for (size_t i = 0; i < signature->covered_count; i++)
		if (strcmp(signature->covered[i], component) == 0)
			return true;
	return false;
}

/* Section 2.2: names of hosts in lower case. */
static void put_lower(struct rs_buffer *out, struct rs_str text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		rs_buffer_append_u8(out, (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
	}
}

static enum rs_code put_component(const struct rs_http_message *message, const char *name,
                                  struct rs_buffer *out, struct rs_error *err)
{
	struct rs_str rest = message->target, path = {"", 0};
	(void)rs_str_split(&rest, '?', &path);
	rs_buffer_printf(out, "\"%s\": ", name);
	if (strcmp(name, "@method") == 0 && message->status == 0) {
		rs_buffer_append_str(out, message->method);
	} else if (strcmp(name, "@authority") == 0) {
		put_lower(out, message->authority);
	} else if (strcmp(name, "@path") == 0) {
		rs_buffer_append_str(out, path.size ? path : RS_STR("/"));
	} else if (strcmp(name, "@query") == 0) {
		rs_buffer_append_text(out, "?");
		rs_buffer_append_str(out, rest);
	} else if (strcmp(name, "@status") == 0 && message->status) {
		rs_buffer_printf(out, "%u", message->status);
	} else {
		struct rs_str value = name[0] == '@' ? (struct rs_str){NULL, 0}
		                                     : message->field(message->context, name);
		if (!value.data || memchr(value.data, '\n', value.size))
			return rs_error_set(err, RS_MALFORMED,
			                    "the signature covers '%s', which the message has not", name);
		rs_buffer_append_str(out, rs_str_trim(value));
	}
	rs_buffer_append_text(out, "\n");
	return RS_OK;
}

enum rs_code rs_http_signature_base(const struct rs_http_signature *signature,
                                    const struct rs_http_message *message, struct rs_buffer *out,
                                    struct rs_error *err)
{
	for (size_t i = 0; i < signature->covered_count; i++)
		RS_TRY(put_component(message, signature->covered[i], out, err));
	rs_buffer_printf(out, "\"@signature-params\": %s", signature->parameters);
	return rs_buffer_check(out, "what is signed of a message", err);
}

static const char *algorithm_of(const struct rs_cose_key *key)
{
	return key->algorithm == RS_COSE_EDDSA ? ALGORITHM_EDDSA : ALGORITHM_ES256;
}

enum rs_code rs_http_signature_verify(const struct rs_http_signature *signature,
                                      const struct rs_http_message *message, const struct rs_cose_key *key,
                                      struct rs_error *err)
{
	struct rs_buffer base RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&base, BASE_MAX);
	if (signature->size != RS_SIGNATURE_SIZE ||
	    (signature->algorithm[0] && strcmp(signature->algorithm, algorithm_of(key)) != 0))
		return rs_error_set(err, RS_ALTERED,
		                    "the message's signature is of another algorithm than the key");
	RS_TRY(rs_http_signature_base(signature, message, &base, err));
	bool valid = key->algorithm == RS_COSE_EDDSA
	                     ? rs_signature_valid(key->bytes, rs_buffer_bytes(&base), signature->bytes)
	                     : rs_p256_valid(key->bytes, rs_buffer_bytes(&base), signature->bytes);
	return valid ? RS_OK : rs_error_set(err, RS_ALTERED, "the message's signature does not fit");
}

enum rs_code rs_http_key_parse(const char *keyid, struct rs_cose_key *out, struct rs_error *err)
{
	struct rs_str text = rs_str_from(keyid);
	struct rs_cose_key key = {.algorithm = text.size == 2 * (size_t)RS_KEY_SIZE ? RS_COSE_EDDSA
	                                                                            : RS_COSE_ES256};
	size_t size = key.algorithm == RS_COSE_EDDSA ? (size_t)RS_KEY_SIZE : (size_t)RS_P256_SIZE;
	if (!rs_hex_decode(text, key.bytes, size))
		return rs_error_set(
			err, RS_MALFORMED,
			"the signature's keyid is no public key in hexadecimal (64 or 128 digits)");
	*out = key;
	return RS_OK;
}

static void put_parameters(const char *const *covered, size_t count, uint64_t created_s,
                           const struct rs_cose_key *key, struct rs_http_signature *out,
                           struct rs_buffer *text)
{
	size_t size = key->algorithm == RS_COSE_EDDSA ? (size_t)RS_KEY_SIZE : (size_t)RS_P256_SIZE;
	rs_hex_encode(rs_bytes_of(key->bytes, size), out->keyid);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(out->covered[i], sizeof out->covered[i], "%s", covered[i]);
		rs_buffer_printf(text, "%s\"%s\"", i ? " " : "(", covered[i]);
	}
	out->covered_count = count;
	rs_buffer_printf(text, ");created=%llu;keyid=\"%s\";alg=\"%s\";tag=\"" RS_HTTP_TAG "\"",
	                 (unsigned long long)created_s, out->keyid, algorithm_of(key));
}

enum rs_code rs_http_sign(const struct rs_http_message *message, const char *const *covered, size_t count,
                          uint64_t created_s, const struct rs_cose_signer *signer,
                          struct rs_buffer *out_input, struct rs_buffer *out_signature, struct rs_error *err)
{
	struct rs_buffer base RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_http_signature signature = {.size = RS_SIGNATURE_SIZE};
	struct rs_buffer text = {.data = (uint8_t *)signature.parameters,
	                         .capacity = sizeof signature.parameters - 1,
	                         .maximum = sizeof signature.parameters - 1};
	char encoded[RS_BASE64_SIZE(RS_SIGNATURE_SIZE)];
	if (count > RS_HTTP_COVERED_MAX)
		return rs_error_set(err, RS_USAGE, "a signature of more than %d components",
		                    RS_HTTP_COVERED_MAX);
	put_parameters(covered, count, created_s, &signer->key, &signature, &text);
	RS_TRY(rs_buffer_check(&text, "a signature's input", err));
	rs_buffer_init(&base, BASE_MAX);
	RS_TRY(rs_http_signature_base(&signature, message, &base, err));
	RS_TRY(signer->sign(signer->context, rs_buffer_bytes(&base), signature.bytes, err));
	rs_base64_encode(rs_bytes_of(signature.bytes, RS_SIGNATURE_SIZE), encoded);
	rs_buffer_printf(out_input, LABEL "=%s", signature.parameters);
	rs_buffer_printf(out_signature, LABEL "=:%s:", encoded);
	RS_TRY(rs_buffer_check(out_input, "a signature's input", err));
	return rs_buffer_check(out_signature, "a signature", err);
}

void rs_content_digest_format(const struct rs_digest *digest, char out[static RS_CONTENT_DIGEST_SIZE])
{
	char encoded[RS_BASE64_SIZE(RS_SHA256_SIZE)];
	rs_base64_encode(rs_bytes_of(digest->bytes, RS_SHA256_SIZE), encoded);
	(void)snprintf(out, RS_CONTENT_DIGEST_SIZE, "sha-256=:%s:", encoded);
}

enum rs_code rs_content_digest_parse(struct rs_str field, struct rs_digest *out, struct rs_error *err)
{
	uint8_t bytes[RS_SHA256_SIZE + 3];
	size_t size = 0;
	enum rs_code code = find_bytes(field, RS_STR("sha-256"), bytes, &size, sizeof bytes, err);
	if (code == RS_OK && size != RS_SHA256_SIZE)
		code = rs_error_set(err, RS_MALFORMED, "its member 'sha-256' has %zu bytes", size);
	if (code != RS_OK) {
		rs_error_context(err, "Content-Digest");
		return code == RS_NOT_FOUND ? rs_error_set(err, RS_UNSUPPORTED,
		                                           "Content-Digest: there is no sha-256 in it")
		                            : code;
	}
	memcpy(out->bytes, bytes, RS_SHA256_SIZE);
	return RS_OK;
}

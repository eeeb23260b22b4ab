/* A Kubo node as a store of blobs, through its RPC API (POST /api/v0/…, JSON answers). Blobs go up block by block, each no
 * larger than a chunk, and the node's name for each block must be ours; at the end the root is pinned, which the node only
 * does when it has every block of it. What was sent before a failure is pinned by nobody and goes with the node's next garbage
 * collection. Nothing is asked of other nodes (offline=true): a block that is missing is missing, and not waited for. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/net_http.h"
#include "places.h"
#include "vault/vault_blobs.h"

#define BOUNDARY "radseal-6f0d1c2b9a"
#define SMALL_ANSWER_MAX ((size_t)64 * 1024)
#define URL_MAX 512

struct ipfs {
	struct rs_blobs blobs;
	char *url, *token;
	unsigned patience_ms;
	struct rs_buffer answer; /* of the last call */
	struct rs_buffer form;   /* the last block as it was sent */
};

struct reading {
	struct ipfs *ipfs;
	char cid[RS_CID_TEXT_SIZE];
};

/* The node's own sentence, when there is one. */
static void quote_message(const struct rs_buffer *answer, char out[static 200])
{
	json_t *json = json_loadb((const char *)answer->data, answer->size, 0, NULL);
	const char *message = json_string_value(json_object_get(json, "Message"));
	snprintf(out, 200, "%s", message ? message : "");
	json_decref(json);
}

static enum rs_code refused(const struct ipfs *ipfs, unsigned status, struct rs_error *err)
{
	char message[200];
	quote_message(&ipfs->answer, message);
	if (status == 403)
		return rs_error_set(
			err, RS_DENIED,
			"the IPFS node at %s does not let us in (status 403): put the token of its "
			"API.Authorizations into keys/ipfs.token",
			ipfs->url);
	if (status == 500 && (strstr(message, "not pinned") || strstr(message, "not found") ||
	                      strstr(message, "could not find")))
		return rs_error_set(err, RS_NOT_FOUND, "the IPFS node does not have it: %s", message);
	return rs_error_set(err, RS_IO, "the IPFS node at %s answers with status %u: %s", ipfs->url, status,
	                    message);
}

static enum rs_code call(struct ipfs *ipfs, const char *media, struct rs_bytes body, size_t answer_max,
                         struct rs_error *err, const char *format, ...) RS_PRINTF(6, 7);

/* The answer lies in ipfs->answer. */
static enum rs_code call(struct ipfs *ipfs, const char *media, struct rs_bytes body, size_t answer_max,
                         struct rs_error *err, const char *format, ...)
{
	char command[256], url[URL_MAX];
	unsigned status;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	snprintf(url, sizeof url, "%s/api/v0/%s", ipfs->url, command);
	const struct rs_http_call http = {.url = url,
	                                  .media = media,
	                                  .bearer = ipfs->token,
	                                  .body = body,
	                                  .answer_max = answer_max,
	                                  .timeout_ms = ipfs->patience_ms};
	rs_buffer_clear(&ipfs->answer);
	RS_TRY(rs_http_call(&http, &status, &ipfs->answer, err));
	return status == 200 ? RS_OK : refused(ipfs, status, err);
}

static enum rs_code ask(struct ipfs *ipfs, const char *command, const char *cid, const char *more,
                        struct rs_error *err)
{
	return call(ipfs, "text/plain", (struct rs_bytes){NULL, 0}, SMALL_ANSWER_MAX, err,
	            "%s?arg=%s&offline=true%s", command, cid, more);
}

/* A text of the last answer, which is one JSON object. */
static enum rs_code answer_text(const struct ipfs *ipfs, const char *key, char *out, size_t size,
                                struct rs_error *err)
{
	json_t *json = json_loadb((const char *)ipfs->answer.data, ipfs->answer.size, 0, NULL);
	const char *text = json_string_value(json_object_get(json, key));
	bool fits = text && strlen(text) < size;
	if (fits)
		memcpy(out, text, strlen(text) + 1);
	json_decref(json);
	return fits ? RS_OK
	            : rs_error_set(err, RS_MALFORMED, "the IPFS node's answer has no \"%s\" that is one",
	                           key);
}

/* One block on its way: the leaf that is sent is the piece that was read last. */
struct putting {
	struct ipfs *ipfs;
	struct rs_bytes piece;
};

static enum rs_code put_block(void *context, const struct rs_cid *cid, const struct rs_bytes *node,
                              struct rs_error *err)
{
	const struct putting *putting = context;
	struct ipfs *ipfs = putting->ipfs;
	char ours[RS_CID_TEXT_SIZE], theirs[128];
	rs_cid_format(cid, ours);
	rs_buffer_clear(&ipfs->form);
	rs_buffer_append_text(&ipfs->form,
	                      "--" BOUNDARY
	                      "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"block\"\r\n"
	                      "Content-Type: application/octet-stream\r\n\r\n");
	rs_buffer_append_bytes(&ipfs->form, node ? *node : putting->piece);
	rs_buffer_append_text(&ipfs->form, "\r\n--" BOUNDARY "--\r\n");
	RS_TRY(rs_buffer_check(&ipfs->form, "a block", err));
	RS_TRY(call(ipfs, "multipart/form-data; boundary=" BOUNDARY, rs_buffer_bytes(&ipfs->form),
	            SMALL_ANSWER_MAX, err, "block/put?cid-codec=%s&mhtype=sha2-256&pin=false",
	            node ? "dag-pb" : "raw"));
	RS_TRY(answer_text(ipfs, "Key", theirs, sizeof theirs, err));
	if (strcmp(ours, theirs) != 0)
		return rs_error_set(err, RS_ALTERED, "the IPFS node names a block %s that is %s", theirs,
		                    ours);
	return RS_OK;
}

static enum rs_code hold_piece(void *context, uint64_t offset RS_UNUSED, struct rs_bytes piece,
                               struct rs_error *err RS_UNUSED)
{
	((struct putting *)context)->piece = piece;
	return RS_OK;
}

static enum rs_code ipfs_has(struct rs_blobs *blobs, const struct rs_cid *cid, bool *out,
                             struct rs_error *err)
{
	char text[RS_CID_TEXT_SIZE];
	struct rs_error reason = {0};
	rs_cid_format(cid, text);
	enum rs_code code = ask((struct ipfs *)(void *)blobs, "pin/ls", text, "&type=recursive", &reason);
	if (code != RS_OK && code != RS_NOT_FOUND) {
		if (err)
			*err = reason;
		return code;
	}
	*out = code == RS_OK;
	return RS_OK;
}

static enum rs_code ipfs_put(struct rs_blobs *blobs, const struct rs_cid *cid, const struct rs_content *bytes,
                             struct rs_error *err)
{
	struct ipfs *ipfs = (struct ipfs *)(void *)blobs;
	struct rs_cid_builder builder RS_CLEANUP(rs_cid_builder_finish) = {0};
	struct putting putting = {.ipfs = ipfs};
	char text[RS_CID_TEXT_SIZE];
	bool there;
	rs_cid_format(cid, text);
	RS_TRY(ipfs_has(blobs, cid, &there, err));
	if (there)
		return RS_OK;
	rs_cid_builder_init(&builder, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_LINKS);
	builder.made = put_block;
	builder.context = &putting;
	RS_TRY(content_walk(bytes, cid, &builder, hold_piece, &putting, err));
	return ask(ipfs, "pin/add", text, "&recursive=true&name=radseal", err);
}

static enum rs_code read_cat(void *context, uint64_t offset, size_t size, uint8_t *scratch RS_UNUSED,
                             struct rs_bytes *out, struct rs_error *err)
{
	const struct reading *reading = context;
	struct ipfs *ipfs = reading->ipfs;
	RS_TRY(call(ipfs, "text/plain", (struct rs_bytes){NULL, 0}, size, err,
	            "cat?arg=%s&offset=%llu&length=%zu&progress=false&offline=true", reading->cid,
	            (unsigned long long)offset, size));
	if (ipfs->answer.size != size)
		return rs_error_set(err, RS_ALTERED, "the IPFS node gave %zu bytes of %zu at byte %llu",
		                    ipfs->answer.size, size, (unsigned long long)offset);
	*out = rs_buffer_bytes(&ipfs->answer);
	return RS_OK;
}

static enum rs_code size_of(struct ipfs *ipfs, const char *cid, uint64_t *out, struct rs_error *err)
{
	char path[RS_CID_TEXT_SIZE + 8];
	snprintf(path, sizeof path, "/ipfs/%s", cid);
	RS_TRY(ask(ipfs, "files/stat", path, "", err));
	json_t *json = json_loadb((const char *)ipfs->answer.data, ipfs->answer.size, 0, NULL);
	json_t *size = json_object_get(json, "Size");
	bool sound = json_is_integer(size) && json_integer_value(size) >= 0;
	if (sound)
		*out = (uint64_t)json_integer_value(size);
	json_decref(json);
	return sound ? RS_OK
	             : rs_error_set(err, RS_MALFORMED, "the IPFS node's answer has no \"Size\" that is one");
}

static enum rs_code ipfs_open(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_content *out,
                              struct rs_error *err)
{
	struct reading *reading = rs_allocate(sizeof *reading);
	struct rs_content bytes = {.read = read_cat, .context = reading};
	if (!reading)
		return rs_error_memory(err, sizeof *reading, "an object");
	reading->ipfs = (struct ipfs *)(void *)blobs;
	rs_cid_format(cid, reading->cid);
	enum rs_code code = size_of(reading->ipfs, reading->cid, &bytes.size, err);
	if (code != RS_OK) {
		rs_free(reading);
		return code;
	}
	*out = bytes;
	return RS_OK;
}

static void ipfs_shut(struct rs_blobs *blobs RS_UNUSED, struct rs_content *bytes) { rs_free(bytes->context); }

static enum rs_code ipfs_remove(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	return ask((struct ipfs *)(void *)blobs, "pin/rm", text, "&recursive=true", err);
}

static void ipfs_close(struct rs_blobs *blobs)
{
	struct ipfs *ipfs = (struct ipfs *)(void *)blobs;
	rs_buffer_finish(&ipfs->answer);
	rs_buffer_finish(&ipfs->form);
	rs_free(ipfs->url);
	if (ipfs->token)
		rs_wipe(ipfs->token, strlen(ipfs->token));
	rs_free(ipfs->token);
	rs_free(ipfs);
}

enum rs_code rs_blobs_ipfs_version(struct rs_blobs *blobs, char out[static 64], struct rs_error *err)
{
	struct ipfs *ipfs = (struct ipfs *)(void *)blobs;
	RS_TRY(call(ipfs, "text/plain", (struct rs_bytes){NULL, 0}, SMALL_ANSWER_MAX, err, "version"));
	return answer_text(ipfs, "Version", out, 64, err);
}

enum rs_code rs_blobs_open_ipfs(const char *url, const char *token, unsigned patience_ms,
                                struct rs_blobs **out, struct rs_error *err)
{
	static const struct rs_blobs_kind kind = {"ipfs",   ipfs_put,    ipfs_open, ipfs_shut,
	                                          ipfs_has, ipfs_remove, ipfs_close};
	struct rs_str plain = rs_str_from(url);
	while (plain.size && plain.data[plain.size - 1] == '/')
		plain.size--;
	if (!rs_str_starts_with(plain, "http://") || plain.size > 200)
		return rs_error_set(err, RS_USAGE,
		                    "'%s' is not http://host:port, where a Kubo node's API listens", url);
	struct ipfs *ipfs = rs_allocate(sizeof *ipfs);
	if (!ipfs)
		return rs_error_memory(err, sizeof *ipfs, "a store");
	ipfs->blobs.kind = &kind;
	ipfs->patience_ms = patience_ms;
	ipfs->url = rs_str_duplicate(plain);
	ipfs->token = token ? rs_str_duplicate(rs_str_from(token)) : NULL;
	rs_buffer_init(&ipfs->answer, RS_HTTP_ANSWER_MAX);
	rs_buffer_init(&ipfs->form, RS_OBJECT_CHUNK_SIZE + 4096);
	if (!ipfs->url || (token && !ipfs->token)) {
		ipfs_close(&ipfs->blobs);
		return rs_error_memory(err, plain.size, "a store");
	}
	*out = &ipfs->blobs;
	return RS_OK;
}

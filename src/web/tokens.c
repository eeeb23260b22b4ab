/* Tokens from a file. */
#include "web/web_tokens.h"

#include <stdio.h>
#include <string.h>

#include "contract/contract_people.h"
#include "crypto/crypto.h"
#include "words.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)
#define TOKENS_MAX 4096
#define TOKEN_LEAST 32
#define MEMBER_SIZE 64
#define FIELDS 4

struct token {
	struct rs_digest hash;
	struct rs_actor *own; /* owned; NULL when it is the node's */
	struct rs_web_caller caller;
};

struct rs_web_tokens {
	struct token *items;
	size_t count;
};

void rs_web_tokens_free(struct rs_web_tokens *tokens)
{
	if (!tokens)
		return;
	for (size_t i = 0; i < tokens->count; i++)
		rs_actor_close(tokens->items[i].own);
	rs_free(tokens->items);
	rs_free(tokens);
}

/* Words of a line, parted by spaces and tabs. */
static size_t words_of(struct rs_str line, struct rs_str *out)
{
	size_t count = 0;
	for (size_t i = 0; i < line.size;) {
		size_t start = i;
		while (i < line.size && line.data[i] != ' ' && line.data[i] != '\t')
			i++;
		if (i > start) {
			if (count == FIELDS)
				return FIELDS + 1;
			out[count++] = (struct rs_str){line.data + start, i - start};
		} else {
			i++;
		}
	}
	return count;
}

static enum rs_code open_member(struct rs_node *node, const struct rs_actor *node_actor, struct rs_str name,
                                struct token *out, struct rs_error *err)
{
	char text[MEMBER_SIZE];
	out->caller.actor = node_actor;
	if (!rs_str_equal_text(name, "node")) {
		if (name.size >= sizeof text)
			return rs_error_set(err, RS_MALFORMED, "the member's name is too long");
		memcpy(text, name.data, name.size);
		text[name.size] = '\0';
		RS_TRY(rs_node_actor_open(node, text, rs_bytes_of("", 0), &out->own, err));
		out->caller.actor = out->own;
	}
	struct rs_member_key id = rs_actor_id(out->caller.actor);
	rs_hex_encode(rs_bytes_of(id.bytes, 8), out->caller.name);
	return RS_OK;
}

static enum rs_code read_line(struct rs_node *node, const struct rs_actor *node_actor, struct rs_str line,
                              struct token *out, struct rs_error *err)
{
	struct rs_str words[FIELDS];
	size_t count = words_of(line, words);
	out->caller.purpose = RS_PURPOSE_TREATMENT;
	if (count < FIELDS - 1 || count > FIELDS)
		return rs_error_set(err, RS_MALFORMED,
		                    "a line has a hash, a member, rights, and perhaps a purpose");
	if (!rs_hex_decode(words[0], out->hash.bytes, sizeof out->hash.bytes))
		return rs_error_set(
			err, RS_MALFORMED,
			"a token's SHA-256 has 64 hexadecimal digits (printf %%s TOKEN | sha256sum)");
	if (!rights_parse(words[2], &out->caller.may))
		return rs_error_set(
			err, RS_MALFORMED,
			"rights are some of store, query, retrieve, watch, metrics, manage, device, or all");
	if (count == FIELDS && !purpose_parse(words[3], &out->caller.purpose))
		return rs_error_set(err, RS_MALFORMED, "'" RS_STR_FORMAT "' is no purpose",
		                    RS_STR_ARGUMENTS(words[3]));
	return open_member(node, node_actor, words[1], out, err);
}

static enum rs_code read_lines(struct rs_node *node, const struct rs_actor *node_actor, struct rs_str text,
                               struct rs_web_tokens *tokens, struct rs_error *err)
{
	struct rs_str line;
	for (size_t number = 1; rs_str_split(&text, '\n', &line); number++) {
		line = rs_str_trim(line);
		if (line.size == 0 || line.data[0] == '#')
			continue;
		if (tokens->count == TOKENS_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "there are more than %d tokens", TOKENS_MAX);
		/* Counted before: what the line opened is closed with the rest. */
		struct token *token = &tokens->items[tokens->count++];
		if (read_line(node, node_actor, line, token, err) != RS_OK)
			return rs_error_context(err, "line %zu", number);
	}
	return RS_OK;
}

enum rs_code rs_web_tokens_read(struct rs_node *node, const struct rs_actor *node_actor, const char *path,
                                struct rs_web_tokens **out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), path, FILE_SIZE_MAX, &file, err));
	struct rs_web_tokens *tokens = rs_allocate(sizeof *tokens);
	enum rs_code code = tokens ? RS_OK : rs_error_memory(err, sizeof *tokens, "tokens");
	RS_TRY(code);
	tokens->items = rs_allocate_array(TOKENS_MAX, sizeof *tokens->items);
	code = tokens->items ? read_lines(node, node_actor, rs_buffer_str(&file), tokens, err)
	                     : rs_error_memory(err, TOKENS_MAX * sizeof *tokens->items, "tokens");
	if (code != RS_OK) {
		rs_web_tokens_free(tokens);
		return err ? rs_error_context(err, "%s", path) : code;
	}
	*out = tokens;
	return RS_OK;
}

static enum rs_code authenticate(void *context, const struct rs_web_credentials *credentials,
                                 struct rs_web_caller *out, struct rs_error *err)
{
	const struct rs_web_tokens *tokens = context;
	struct rs_str scheme, token = credentials->authorization;
	struct rs_digest hash;
	const struct token *found = NULL;
	if (!rs_str_split(&token, ' ', &scheme) || !rs_str_equal_ignoring_case(scheme, RS_STR("Bearer")))
		return RS_NOT_FOUND;
	token = rs_str_trim(token);
	rs_sha256(rs_bytes_of_str(token), &hash);
	for (size_t i = 0; i < tokens->count; i++)
		if (rs_equal_constant_time(hash.bytes, tokens->items[i].hash.bytes, sizeof hash.bytes))
			found = &tokens->items[i];
	/* One that is of another kind (a JWT has dots) may be another authenticator's. */
	if (!found && token.size > 0 && memchr(token.data, '.', token.size))
		return RS_NOT_FOUND;
	if (!found || token.size < TOKEN_LEAST)
		return rs_error_set(err, RS_DENIED, "the token is none of this server's");
	*out = found->caller;
	return RS_OK;
}

struct rs_web_authenticator rs_web_tokens_authenticator(struct rs_web_tokens *tokens)
{
	return (struct rs_web_authenticator){"Bearer realm=\"radseal\"", authenticate, tokens};
}

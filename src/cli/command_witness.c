/* radseal witness: nodes cosign each other's checkpoints. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ledger/ledger_tiles.h"
#include "ledger/ledger_witness.h"
#include "net/net_http.h"
#include "session.h"
#include "workflow/workflow_witness.h"

#define KEY_FILE_MAX ((size_t)64 * 1024)
#define RECEIPT_SIZE_MAX ((size_t)1024 * 1024)
#define DEFAULT_ADDRESS "127.0.0.1:8790"
#define PATIENCE_MS 20000
#define ADD_CHECKPOINT "/add-checkpoint"

typedef enum rs_code parse_key(struct rs_str vkey, struct rs_note_key *out, struct rs_error *err);

struct keys {
	struct rs_note_key list[RS_WITNESSES_MAX];
	size_t count;
};

static enum rs_code add_key(struct rs_str text, parse_key *parse, struct keys *out, struct rs_error *err)
{
	struct rs_str vkey = rs_str_trim(text);
	if (vkey.size == 0 || vkey.data[0] == '#')
		return RS_OK;
	if (out->count == RS_WITNESSES_MAX)
		return rs_error_set(err, RS_USAGE, "--key: more than %d keys", RS_WITNESSES_MAX);
	if (parse(vkey, &out->list[out->count], err) != RS_OK) {
		rs_error_context(err, "--key");
		return err->code = RS_USAGE;
	}
	out->count++;
	return RS_OK;
}

/* Keys as they are, or files with one in each line. */
static enum rs_code read_keys(const struct command_line *line, parse_key *parse, struct keys *out,
                              struct rs_error *err)
{
	for (size_t i = 0; i < line->repeat_count; i++) {
		struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_str rest = rs_str_from(line->repeats[i]), text;
		if (rs_path_exists(rs_world_system(), line->repeats[i])) {
			RS_TRY(rs_file_read_all(rs_world_system(), line->repeats[i], KEY_FILE_MAX, &content,
			                        err));
			rest = rs_buffer_str(&content);
		}
		while (rs_str_split(&rest, '\n', &text))
			RS_TRY(add_key(text, parse, out, err));
	}
	return out->count ? RS_OK
	                  : rs_error_set(err, RS_USAGE, "witness %s needs a --key", line->operands[0]);
}

static enum rs_code print_key(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	char vkey[RS_VKEY_SIZE];
	if (line->operand_count > 1)
		return rs_error_set(err, RS_USAGE, "witness key takes no operand");
	RS_TRY(rs_node_witness_vkey(node, vkey, err));
	printf("%s\n", vkey);
	return RS_OK;
}

static void witnessing_close(struct rs_witnessing **witnessing) { rs_witnessing_close(*witnessing); }

static volatile sig_atomic_t stop;

static void on_signal(int number RS_UNUSED) { stop = 1; }

struct serving {
	struct rs_witnessing *witnessing;
	const char *tiles; /* a directory of radseal log --tiles; NULL: none is served */
	bool quiet;
};

static void tell(const struct serving *serving, const struct rs_witness_answer *answer)
{
	char now[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(rs_world_now_ms(rs_world_system()), now);
	if (answer->refusal.code != RS_OK)
		fprintf(stderr, "%s refused (%u): %s\n", now, answer->status, answer->refusal.message);
	else if (!serving->quiet)
		fprintf(stderr, "%s cosigned\n", now);
}

/* Files that were written by radseal log --tiles, and no others. */
static enum rs_code serve_tile(const struct serving *serving, struct rs_str target,
                               struct rs_http_answer *answer, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s" RS_STR_FORMAT, serving->tiles,
	                                                        RS_STR_ARGUMENTS(target));
	if (!path)
		return rs_error_memory(err, 1, "a path");
	answer->status = 404;
	if (!rs_path_exists(rs_world_system(), path)) {
		rs_buffer_append_text(&answer->body, "there is no such tile\n");
		return rs_buffer_check(&answer->body, "an answer", err);
	}
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_HTTP_ANSWER_MAX, &content, err));
	bool is_text = rs_str_equal_text(target, "/checkpoint");
	answer->status = 200;
	answer->media = is_text ? "text/plain; charset=utf-8" : "application/octet-stream";
	rs_buffer_append_bytes(&answer->body, rs_buffer_bytes(&content));
	return rs_buffer_check(&answer->body, "an answer", err);
}

static enum rs_code handle(void *context, const struct rs_http_request *request,
                           struct rs_http_answer *answer, struct rs_error *err)
{
	const struct serving *serving = context;
	struct rs_witness_answer said = {.status = 0};
	if (serving->tiles && rs_str_equal_text(request->method, "GET") &&
	    rs_tile_path_valid(request->target))
		return serve_tile(serving, request->target, answer, err);
	bool is_known = rs_str_ends_with(request->target, ADD_CHECKPOINT);
	if (!is_known || !rs_str_equal_text(request->method, "POST")) {
		answer->status = is_known ? 405 : 404;
		rs_buffer_append_text(&answer->body, "this is a witness: POST …/add-checkpoint\n");
		return rs_buffer_check(&answer->body, "an answer", err);
	}
	enum rs_code code = rs_witnessing_answer(serving->witnessing, rs_str_of_bytes(request->body), &said,
	                                         err);
	if (code != RS_OK) {
		fprintf(stderr, "radseal: %s\n", err->message);
		return code;
	}
	tell(serving, &said);
	answer->status = said.status;
	answer->media = said.media;
	rs_buffer_append_bytes(&answer->body, rs_buffer_bytes(&said.body));
	rs_witness_answer_finish(&said);
	return rs_buffer_check(&answer->body, "an answer", err);
}

static enum rs_code serve(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	struct rs_witnessing *witnessing RS_CLEANUP(witnessing_close) = NULL;
	const char *address = option_value(line, "listen");
	struct rs_http_server *server = NULL;
	struct keys keys = {.count = 0};
	struct sigaction action = {.sa_handler = on_signal};
	char vkey[RS_VKEY_SIZE];
	if (line->operand_count > 1)
		return rs_error_set(err, RS_USAGE, "witness serve takes no operand");
	RS_TRY(read_keys(line, rs_note_key_parse, &keys, err));
	RS_TRY(rs_witnessing_open(node, keys.list, keys.count, &witnessing, err));
	RS_TRY(rs_node_witness_vkey(node, vkey, err));
	RS_TRY(rs_http_server_open(address ? address : DEFAULT_ADDRESS, &server, err));
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	struct serving serving = {witnessing, option_value(line, "tiles"), option_given(line, "quiet")};
	printf("port %u\nkey %s\n", rs_http_server_port(server), vkey);
	fflush(stdout);
	enum rs_code code = rs_http_server_run(server, &stop, handle, &serving, err);
	rs_http_server_close(server);
	return code;
}

/* The same from a file, for logs and witnesses that no network connects. */
static enum rs_code sign(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	struct rs_witnessing *witnessing RS_CLEANUP(witnessing_close) = NULL;
	struct rs_buffer request RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_witness_answer answer RS_CLEANUP(rs_witness_answer_finish) = {.status = 0};
	struct keys keys = {.count = 0};
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE,
		                    "witness sign: name one request, as radseal log --consistency "
		                    "SIZE of the log's node writes it");
	RS_TRY(read_keys(line, rs_note_key_parse, &keys, err));
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[1], RS_WITNESS_REQUEST_MAX, &request, err));
	RS_TRY(rs_witnessing_open(node, keys.list, keys.count, &witnessing, err));
	RS_TRY(rs_witnessing_answer(witnessing, rs_buffer_str(&request), &answer, err));
	if (answer.refusal.code != RS_OK)
		return rs_error_set(err, RS_ALTERED, "%s", answer.refusal.message);
	return session_write(option_value(line, "output"), rs_buffer_bytes(&answer.body), err);
}

static enum rs_code post(void *context, struct rs_bytes request, unsigned *out_status,
                         struct rs_buffer *out_body, struct rs_error *err)
{
	const char *prefix = context;
	size_t size = strlen(prefix);
	bool slash = size > 0 && prefix[size - 1] == '/';
	char *url RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s%s", prefix,
	                                                       slash ? &ADD_CHECKPOINT[1] : ADD_CHECKPOINT);
	if (!url)
		return rs_error_memory(err, 1, "an address");
	return rs_http_post(url, request, PATIENCE_MS, out_status, out_body, err);
}

/* Asks all; what one refuses for a rollback or a split view is told, and nothing is kept then. */
static enum rs_code ask_all(const struct command_line *line, struct rs_node *node, const struct keys *keys,
                            struct rs_buffer *lines, size_t *out_count, struct rs_error *err)
{
	enum rs_code worst = RS_OK;
	for (size_t i = 1; i < line->operand_count; i++) {
		struct rs_error failure = {0};
		enum rs_code code = rs_node_ask_witness(node, keys->list, keys->count, post,
		                                        line->operands[i], lines, &failure);
		if (code == RS_OK) {
			(*out_count)++;
			if (!option_given(line, "quiet"))
				printf("cosigned  %s\n", line->operands[i]);
			continue;
		}
		printf("failed    %s  (%s)\n", line->operands[i], failure.message);
		if (worst == RS_OK || code == RS_ALTERED) {
			worst = code;
			*err = failure;
			rs_error_context(err, "%s", line->operands[i]);
		}
	}
	return worst;
}

static enum rs_code cosign(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	struct rs_buffer lines RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error failure = {0};
	struct keys keys = {.count = 0};
	size_t count = 0;
	uint64_t quorum;
	if (line->operand_count < 2)
		return rs_error_set(err, RS_USAGE,
		                    "witness cosign: name the witnesses' addresses (http://…)");
	RS_TRY(option_u64(line, "quorum", line->operand_count - 1, line->operand_count - 1, &quorum, err));
	RS_TRY(read_keys(line, rs_witness_key_parse, &keys, err));
	rs_buffer_init(&lines, RS_WITNESS_REQUEST_MAX / 2);
	enum rs_code code = ask_all(line, node, &keys, &lines, &count, &failure);
	if (count == 0 || count < quorum || code == RS_ALTERED) {
		*err = failure;
		return code == RS_REFUSED ? (err->code = RS_ALTERED) : code;
	}
	return rs_node_keep_cosignatures(node, rs_buffer_str(&lines), err);
}

static enum rs_code receipt(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	struct rs_buffer old RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE, "witness receipt: name one receipt of this node");
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[1], RECEIPT_SIZE_MAX, &old, err));
	rs_buffer_init(&text, RECEIPT_SIZE_MAX);
	RS_TRY(rs_node_cosigned_receipt(node, rs_buffer_str(&old), &text, err));
	return session_write(option_value(line, "output"), rs_buffer_bytes(&text), err);
}

static const struct {
	const char *name;
	enum rs_code (*run)(const struct command_line *line, struct rs_node *node, struct rs_error *err);
} actions[] = {
	{"key", print_key}, {"serve", serve}, {"sign", sign}, {"cosign", cosign}, {"receipt", receipt}};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	for (size_t i = 0; i < RS_COUNT(actions); i++) {
		if (line->operand_count == 0 || strcmp(line->operands[0], actions[i].name) != 0)
			continue;
		RS_TRY(session_node(line, RS_NODE_READ, NULL, &node, err));
		return actions[i].run(line, node, err);
	}
	return rs_error_set(err, RS_USAGE, "witness: name what to do: key, serve, sign, cosign or receipt");
}

static const struct option options[] = {
	{"key", "KEY", "a verifier key, or a file of them: of logs to sign for, or of witnesses to believe"},
	{"listen", "ADDRESS", "serve: host and port; otherwise " DEFAULT_ADDRESS ", port 0 for a free one"},
	{"tiles", "DIR", "serve: this log's static files, too, as radseal log --tiles writes them to DIR"},
	{"quorum", "N", "cosign: so many of the witnesses must sign; otherwise all"},
	{"output", "FILE", "sign, receipt: write to FILE instead of standard output"},
	{NULL, NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

static const struct example examples[] = {
	{"radseal witness key --home /srv/a", "the key by which others know this node's cosignatures"},
	{"radseal witness serve --home /srv/a --key b-log.vkey --listen 10.0.0.1:8790",
         "sign the checkpoints of another institution's log"},
	{"radseal witness cosign --home /srv/b http://10.0.0.1:8790 --key a-witness.vkey",
         "have this node's checkpoint signed by it"},
	{"radseal witness receipt --home /srv/b scan.tlog-proof -o scan-cosigned.tlog-proof",
         "a receipt with the cosignatures"},
	{NULL, NULL},
};

const struct command command_witness = {
	.name = "witness",
	.arguments = "key|serve|sign|cosign|receipt […] [--key KEY]… [--home DIR]",
	.summary = "cosign other nodes' checkpoints, and have one's own cosigned",
	.description =
		"A witness signs a log's checkpoint when it extends the last one that it signed, and never\n"
		"another: so nobody can show two histories, or take one back (C2SP tlog-witness, HTTP).\n"
		"key prints this node's key as a witness; serve answers add-checkpoint; sign answers one\n"
		"request out of a file; cosign asks witnesses at their addresses and keeps what they sign in\n"
		"keys/cosigned-checkpoint; receipt makes a receipt anew at that checkpoint. A log that forked or\n"
		"was rolled back is refused and named, with status 1.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "key",
	.text_only = true,
	.run = run,
};

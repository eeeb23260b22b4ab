/* radseal openapi: the REST interface described. */
#include "session.h"
#include "web/web_openapi.h"

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	if (line->operand_count)
		return rs_error_set(err, RS_USAGE, "openapi takes no operand");
	rs_buffer_init(&text, RS_OPENAPI_SIZE_MAX);
	RS_TRY(rs_web_openapi(&text, err));
	return session_write(option_value(line, "output"), rs_buffer_bytes(&text), err);
}

static const struct option options[] = {
	{"output", "FILE", "write to FILE instead of standard output (also -o)"},
	{NULL, NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

static const struct example examples[] = {
	{"radseal openapi -o radseal.json", "for generators of clients, and for people"},
	{NULL, NULL},
};

const struct command command_openapi = {
	.name = "openapi",
	.arguments = "[-o FILE]",
	.summary = "describe the REST interface of serve as an OpenAPI document",
	.description =
		"Prints the OpenAPI 3.1 document (JSON) of what `radseal serve --http` answers below /api/v1. It is\n"
		"made from the table that the answers are made from; a running server has it at\n"
		"/api/v1/openapi.json.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.text_only = true,
	.run = run,
};

/* What a command that lists things prints: rows of named values, as lines of text or as JSON objects in an array. */
#ifndef RS_CLI_REPORT_H
#define RS_CLI_REPORT_H

#include "command.h"

struct report {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json, is_list;
};
struct field {
	const char *
		key; /* in JSON, with a '#' before it when the value is a number there; NULL: left out there */
	const char *value; /* NULL or "": JSON null, in text a dash */
	int width;         /* of the column, in text; 0: left out there */
};
/* is_list: an array, else the one row is an object of its own. Finish it. */
void report_begin(struct report *report, const struct command_line *line, bool is_list);
void report_row(struct report *report, const struct field *fields, size_t count);
enum rs_code report_end(struct report *report, struct rs_error *err); /* prints */
void report_finish(struct report *report);

#endif

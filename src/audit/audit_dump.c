/* The story's answers in every format, for tests/system/audit_formats.py: audit_dump FORMAT [PATIENT]. */
#include <stdio.h>
#include <stdlib.h>

#include "audit/audit_write.h"
#include "story.h"

static enum rs_code print(void *context, struct rs_bytes piece, struct rs_error *err RS_UNUSED)
{
	return fwrite(piece.data, 1, piece.size, context) == piece.size ? RS_OK : RS_IO;
}

static enum rs_code pass_on(void *context, const struct rs_audit_line *line, struct rs_error *err)
{
	return rs_audit_writer_line(context, line, err);
}

int main(int count, char **arguments)
{
	static struct fixture f;
	struct rs_error err = {0};
	struct rs_audit_writer *writer RS_CLEANUP(rs_audit_writer_destroy_pointer) = NULL;
	const struct rs_audit_question question = {.about = RS_AUDIT_ALL, .now_ms = START + 30 * DAY};
	struct rs_audit_heading heading = {.question = "all entries",
	                                   .checkpoint = {.origin = "radseal.local/story"},
	                                   .note = RS_STR("radseal.local/story\n"),
	                                   .asked_ms = START + 30 * DAY,
	                                   .request = 20,
	                                   .patient = count > 2 ? arguments[2] : NULL,
	                                   .proofs = true};
	enum rs_audit_format format;
	if (rs_crypto_init(&err) != RS_OK || count < 2 ||
	    !rs_audit_format_from_name(rs_str_from(arguments[1]), &format))
		return 2;
	begin(&f);
	heading.checkpoint.size = f.engine.size(f.engine.context);
	enum rs_code code = f.engine.root(f.engine.context, &heading.checkpoint.root, &err);
	if (code == RS_OK)
		code = rs_audit_update(f.audit, NULL, NULL, &err);
	if (code == RS_OK)
		code = rs_audit_writer_create(&heading, format, print, stdout, &writer, &err);
	if (code == RS_OK)
		code = rs_audit_ask(f.audit, &question, pass_on, writer, &err);
	if (code == RS_OK)
		code = rs_audit_writer_end(writer, &err);
	if (code != RS_OK)
		fprintf(stderr, "%s\n", err.message);
	finish(&f);
	return code == RS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

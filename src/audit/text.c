/* The table for people: a line for each entry, and below it what it rests on. */
#include <inttypes.h>
#include <string.h>

#include "write.h"

#define SHORT 12 /* digits of a key or commitment that a table shows */

/* What comes from the ledger may hold anything: nothing of it moves the cursor. */
static void append_safe(struct rs_buffer *out, const char *text)
{
	for (; *text; text++)
		rs_buffer_append_u8(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : (uint8_t)*text);
}

static const char *get(const struct rs_audit_writer *writer, enum column column)
{
	return cells_get(&writer->cells, column);
}

static void append_short(struct rs_buffer *out, const char *before, const char *hex)
{
	if (*hex)
		rs_buffer_printf(out, "%s%.*s…", before, SHORT, hex);
}

void text_begin(struct rs_audit_writer *writer)
{
	const struct rs_audit_heading *heading = writer->heading;
	struct rs_buffer *out = &writer->out;
	char root[RS_BASE64_SIZE(RS_SHA256_SIZE)];
	rs_base64_encode(rs_bytes_of(heading->checkpoint.root.bytes, RS_SHA256_SIZE), root);
	rs_buffer_append_text(out, "Audit of ");
	append_safe(out, heading->question);
	if (heading->patient) {
		rs_buffer_append_text(out, ", patient ");
		append_safe(out, heading->patient);
	}
	rs_buffer_printf(out, "\nLog %s: %" PRIu64 " entries, root %s\n", heading->checkpoint.origin,
	                 heading->checkpoint.size, root);
	if (heading->request != RS_AUDIT_NO_ENTRY)
		rs_buffer_printf(out, "This audit is an access itself: entry %" PRIu64 "\n",
		                 heading->request);
	rs_buffer_append_text(out, "\n");
}

static void append_use(struct rs_audit_writer *writer)
{
	struct rs_buffer *out = &writer->out;
	const char *operation = get(writer, COLUMN_OPERATION), *purpose = get(writer, COLUMN_PURPOSE),
		   *decision = get(writer, COLUMN_DECISION), *kind = get(writer, COLUMN_KIND);
	if (*operation)
		rs_buffer_printf(out, ": %s", operation);
	if (*kind)
		rs_buffer_printf(out, " %s", kind);
	append_short(out, " ", get(writer, COLUMN_OBJECT));
	if (*purpose)
		rs_buffer_printf(out, " for %s", purpose);
	if (*decision)
		rs_buffer_printf(out, ": %s", decision);
	if (*get(writer, COLUMN_BASIS))
		rs_buffer_printf(out, " (%s)", get(writer, COLUMN_BASIS));
	if (*get(writer, COLUMN_REFUSAL))
		rs_buffer_printf(out, " (%s)", get(writer, COLUMN_REFUSAL));
	append_short(out, ", member ", get(writer, COLUMN_MEMBER));
	if (*get(writer, COLUMN_GIVEN)) {
		rs_buffer_append_text(out, ": ");
		append_safe(out, get(writer, COLUMN_GIVEN));
	}
}

static void detail(struct rs_audit_writer *writer, const char *what, enum column column)
{
	const char *text = get(writer, column);
	if (*text == '\0')
		return;
	rs_buffer_printf(&writer->out, "          %s ", what);
	append_safe(&writer->out, text);
	rs_buffer_append_text(&writer->out, "\n");
}

void text_line(struct rs_audit_writer *writer, const struct rs_audit_line *line)
{
	struct rs_buffer *out = &writer->out;
	rs_buffer_printf(out, "%8" PRIu64 "  %s  %s of ", line->entry, get(writer, COLUMN_TIME),
	                 get(writer, COLUMN_ROLE));
	append_safe(out, line->signer.organisation);
	append_short(out, " ", get(writer, COLUMN_SIGNER));
	rs_buffer_printf(out, "  %s", get(writer, COLUMN_TYPE));
	append_use(writer);
	rs_buffer_append_text(out, "\n");
	if (!strstr(writer->heading->question, get(writer, COLUMN_SUBJECT)))
		detail(writer, "subject", COLUMN_SUBJECT);
	detail(writer, "relation", COLUMN_RELATION);
	detail(writer, "made from", COLUMN_PARENTS);
	detail(writer, "follows", COLUMN_PREVIOUS);
	if (line->has_terms) {
		rs_buffer_append_text(out, "          consent");
		append_short(out, " ", get(writer, COLUMN_CONSENT));
		rs_buffer_printf(out, " as of entry %" PRIu64 " ", line->terms_entry);
		append_safe(out, get(writer, COLUMN_TERMS));
		rs_buffer_append_text(out, "\n");
	}
	detail(writer, "review", COLUMN_REVIEW);
	detail(writer, "reviewed in entry", COLUMN_REVIEW_ENTRY);
	for (unsigned i = 0; i < RS_AUDIT_FINDING_COUNT; i++)
		if (line->findings >> i & 1)
			rs_buffer_printf(out, "          ! %s\n",
			                 rs_audit_finding_text((enum rs_audit_finding)i));
}

void text_end(struct rs_audit_writer *writer)
{
	rs_buffer_printf(&writer->out, "\n%" PRIu64 " line%s.\n%s\n%s\n", writer->lines,
	                 writer->lines == 1 ? "" : "s", proved_text, not_proved_text);
}

/* The structured log. */
#include "base/base_log.h"

#include <string.h>

#define LINE_SIZE_MAX ((size_t)8192)
#define LEFT_OUT " fields_left_out=true"

/* C0, and C1 as UTF-8 writes it (0xc2, 0x80 to 0x9f). */
static size_t control_size(const unsigned char *p)
{
	if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
		return 2;
	return *p < 0x20 || *p == 0x7f;
}

static bool is_plain(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (*p == ' ' || *p == '"' || *p == '=' || *p == '\\' || control_size(p))
			return false;
	return *value != '\0';
}

static void append_value(struct rs_buffer *line, const char *value)
{
	if (is_plain(value)) {
		rs_buffer_append_text(line, value);
		return;
	}
	rs_buffer_append_u8(line, '"');
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (control_size(p) == 2)
			rs_buffer_printf(line, "\\xc2\\x%02x", *++p);
		else if (control_size(p))
			rs_buffer_printf(line, "\\x%02x", *p);
		else if (*p == '"' || *p == '\\')
			rs_buffer_printf(line, "\\%c", *p);
		else
			rs_buffer_append_u8(line, *p);
	}
	rs_buffer_append_u8(line, '"');
}

/* A value too long for a line must not silence the event: the fields from it on are left out. */
static bool append_field(struct rs_buffer *line, const struct rs_log_field *field)
{
	size_t before = line->size;
	rs_buffer_printf(line, " %s=", field->key);
	append_value(line, field->value ? field->value : "");
	if (line->failed == RS_OK && line->size + sizeof LEFT_OUT <= LINE_SIZE_MAX)
		return true;
	line->size = before;
	line->failed = RS_OK;
	rs_buffer_append_text(line, LEFT_OUT);
	return false;
}

void rs_log_write(const struct rs_log *log, enum rs_log_level level, const char *event,
                  const struct rs_log_field *fields, size_t count)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	if (!log || !log->stream || level < log->minimum)
		return;
	struct rs_buffer line RS_CLEANUP(rs_buffer_finish) = {0};
	char time[RS_TIME_TEXT_SIZE];
	rs_buffer_init(&line, LINE_SIZE_MAX);
	rs_format_time_ms(log->clock->now_ms(log->clock), time);
	rs_buffer_printf(&line, "time=%s level=%s event=%s", time, names[level], event);
	for (size_t i = 0; i < count && append_field(&line, &fields[i]); i++)
		;
	rs_buffer_append_u8(&line, '\n');
	if (line.failed == RS_OK) {
		fwrite(line.data, 1, line.size, log->stream);
		fflush(log->stream);
	}
}

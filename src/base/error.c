/* Errors: formatting into the caller's struct, sanitised, never allocating. */
#include "base/base_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A hostile file name or field must not write control sequences to a terminal. U+0080 to U+009F are
 * controls too: 0xc2 and one byte in UTF-8, and U+009B does what ESC [ does. */
static void sanitise(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
	}
}

enum rs_code rs_error_set(struct rs_error *err, enum rs_code code, const char *format, ...)
{
	if (!err)
		return code;
	/* Arguments may point into err->message (context by hand), so format apart. */
	char text[RS_ERROR_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	sanitise(text);
	memcpy(err->message, text, sizeof text);
	err->code = code;
	return code;
}

enum rs_code rs_error_context(struct rs_error *err, const char *format, ...)
{
	if (!err)
		return RS_INTERNAL;
	char text[RS_ERROR_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	int written = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (written < 0)
		return err->code;
	size_t used = (size_t)written < sizeof text ? (size_t)written : sizeof text - 1;
	const char *parts[] = {": ", err->message};
	for (size_t part = 0; part < 2; part++)
		for (const char *p = parts[part]; *p && used + 1 < sizeof text; p++)
			text[used++] = *p;
	text[used] = '\0';
	sanitise(text);
	memcpy(err->message, text, sizeof text);
	return err->code;
}

static enum rs_code code_of_errno(int error_number)
{
	switch (error_number) {
	case ENOENT:
	case ENOTDIR: return RS_NOT_FOUND;
	case EEXIST:
	case ENOTEMPTY: return RS_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS: return RS_DENIED;
	case ENOSPC:
	case EDQUOT: return RS_NO_SPACE;
	case ENOMEM: return RS_NO_MEMORY;
	case EFBIG:
	case ENAMETOOLONG: return RS_TOO_LARGE;
	default: return RS_IO;
	}
}

enum rs_code rs_error_errno(struct rs_error *err, int error_number, const char *format, ...)
{
	enum rs_code code = code_of_errno(error_number);
	if (!err)
		return code;
	char text[RS_ERROR_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	char reason[128];
	if (strerror_r(error_number, reason, sizeof reason) != 0)
		snprintf(reason, sizeof reason, "error %d", error_number);
	return rs_error_set(err, code, "%s: %s", text, reason);
}

static const char *const codes[] = {
#define RS_CODE_ROW(name, text) #name,
	RS_CODES(RS_CODE_ROW)
#undef RS_CODE_ROW
};

const char *rs_code_name(enum rs_code code)
{
	return (size_t)code < sizeof codes / sizeof *codes ? codes[code] : "INTERNAL";
}

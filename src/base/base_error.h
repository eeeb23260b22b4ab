/* Errors: a code decides, a sentence tells. The struct is owned by the caller,
 * has a fixed size and never allocates, so that running out of memory can be
 * reported too. Context is added while returning:
 * "seal: /data/a.dcm: element (0010,0020): length 9 exceeds the file". */
#ifndef RS_BASE_ERROR_H
#define RS_BASE_ERROR_H

#include <stddef.h>

#define RS_CODES(X)                                                           \
	X(OK, "success")                                                      \
	X(USAGE, "the call is wrong")                                         \
	X(MALFORMED, "the input does not follow its format")                  \
	X(UNSUPPORTED, "the input is valid, but this is not handled")         \
	X(TOO_LARGE, "a limit is exceeded")                                   \
	X(NOT_FOUND, "what was asked for does not exist")                     \
	X(EXISTS, "it is already there")                                      \
	X(ALTERED, "verification failed: the content is not what was sealed") \
	X(REFUSED, "the contract refuses")                                    \
	X(DENIED, "the operating system denies access")                       \
	X(IO, "reading or writing failed")                                    \
	X(NO_SPACE, "the disk or quota is full")                              \
	X(NO_MEMORY, "out of memory")                                         \
	X(BUSY, "in use by another process")                                  \
	X(CANCELLED, "stopped on request")                                    \
	X(INTERNAL, "a fault in radseal itself")

enum rs_code {
#define RS_CODE_MEMBER(name, text) RS_##name,
	RS_CODES(RS_CODE_MEMBER)
#undef RS_CODE_MEMBER
};

#define RS_ERROR_MESSAGE_SIZE 512

struct rs_error {
	enum rs_code code;
	char message[RS_ERROR_MESSAGE_SIZE]; /* one sentence, NUL-terminated */
};

#define RS_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#define RS_MUST_CHECK __attribute__((warn_unused_result))

/* Returns from the calling function when `expression` is not RS_OK.
 * The only macro of radseal that hides a return. */
#define RS_TRY(expression)                                \
	do {                                              \
		enum rs_code rs_try_code_ = (expression); \
		if (rs_try_code_ != RS_OK)                \
			return rs_try_code_;              \
	} while (0)

/* Sets code and sentence; returns `code`, so that `return rs_error_set(…)` reads well.
 * err may be NULL (the sentence is then lost). Control characters are replaced by '?',
 * so that bytes of a hostile file cannot write to a terminal. */
enum rs_code rs_error_set(struct rs_error *err, enum rs_code code, const char *format, ...) RS_PRINTF(3, 4);

/* Puts "context: " before the sentence; a sentence that grows too long loses its end.
 * Returns err->code (RS_INTERNAL when err is NULL). */
enum rs_code rs_error_context(struct rs_error *err, const char *format, ...) RS_PRINTF(2, 3);

/* Sets the code that belongs to `error_number` (errno) and "<sentence>: <strerror>". */
enum rs_code rs_error_errno(struct rs_error *err, int error_number, const char *format, ...) RS_PRINTF(3, 4);

/* "MALFORMED"; a static string. */
const char *rs_code_name(enum rs_code code);

#endif

/* Keys of a question: what they are for their attribute, whether a value matches, and by which tokens rows are found. */
#ifndef RS_CATALOGUE_MATCH_H
#define RS_CATALOGUE_MATCH_H

#include "values.h"

#define TOKEN_SIZE 16
#define TIME_SIZE 13 /* HHMMSSFFFFFF or YYYYMMDD, and a zero */

enum key_kind { KEY_ANY, KEY_SINGLE, KEY_LIST, KEY_WILD, KEY_RANGE };
struct key {
	const struct rs_catalogue_attribute *attribute;
	enum key_kind kind;
	struct rs_str value;                 /* of names: folded and in their one form */
	char from[TIME_SIZE], to[TIME_SIZE]; /* of ranges; "" for an open end */
	char name[VALUE_MAX];
};
/* errors  RS_USAGE */
enum rs_code key_read(const struct rs_catalogue_key *from, struct key *out, struct rs_error *err);
/* Whether any of a value's components matches. */
bool key_matches(const struct key *key, struct rs_str value);

/* Tokens: what stands for a value in the file. */
struct token {
	uint8_t bytes[TOKEN_SIZE];
};
enum token_kind {
	TOKEN_EXACT = 1,
	TOKEN_NAME,   /* a whole name, folded */
	TOKEN_PREFIX, /* the first TOKEN_PREFIX_SIZE characters of one */
	TOKEN_DAY,
	TOKEN_MONTH,
	TOKEN_YEAR,
	TOKEN_DECADE,
	TOKEN_ODD_YEAR, /* outside of those that an open range is covered with */
};
#define TOKEN_PREFIX_SIZE 3
#define TOKENS_MAX 32 /* of one row */
void token_make(const struct rs_secret *key, uint8_t attribute, enum token_kind kind, struct rs_str value,
                struct token *out);
/* The tokens of a row's values, for patients and studies. Gives their number. */
size_t tokens_of_row(const struct rs_secret *key, enum rs_level level, struct rs_bytes values,
                     struct token out[static TOKENS_MAX]);
/* Tokens one of which every match has; the latest dates first. Appended; *out_usable is false when there are none. */
enum rs_code tokens_of_key(const struct rs_secret *secret, const struct key *key, struct rs_buffer *out,
                           bool *out_usable, struct rs_error *err);

#endif

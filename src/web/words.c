/* Words for rights and purposes. */
#include "words.h"

bool rights_parse(struct rs_str text, unsigned *out)
{
	static const struct {
		const char *name;
		unsigned right;
	} known[] = {
#define ROW(name, bit, text) {text, RS_WEB_MAY_##name},
		RS_WEB_RIGHTS(ROW)
#undef ROW
			{"all", RS_WEB_MAY_EVERYTHING}};
	struct rs_str word;
	*out = 0;
	while (rs_str_split(&text, ',', &word)) {
		size_t i = 0;
		while (i < RS_COUNT(known) && !rs_str_equal_text(word, known[i].name))
			i++;
		if (i == RS_COUNT(known))
			return false;
		*out |= known[i].right;
	}
	return *out != 0;
}

bool purpose_parse(struct rs_str text, enum rs_purpose *out)
{
#define ROW(name, number, text_, code)        \
	if (rs_str_equal_text(text, text_)) { \
		*out = RS_PURPOSE_##name;     \
		return true;                  \
	}
	RS_PURPOSES(ROW)
#undef ROW
	return false;
}

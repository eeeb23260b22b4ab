/* Text lines, numbers, base64 and CBOR: the small print that the proofs are written in. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verify.h"

bool refuse(struct reason *why, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why->text, sizeof why->text, format, arguments);
	va_end(arguments);
	return false;
}

struct span span_of_text(const char *text) { return (struct span){(const uint8_t *)text, strlen(text)}; }

bool span_is(struct span span, const char *text)
{
	return span.size == strlen(text) && memcmp(span.data, text, span.size) == 0;
}

bool span_begins(struct span span, const char *text)
{
	return span.size >= strlen(text) && memcmp(span.data, text, strlen(text)) == 0;
}

bool next_line(struct span *rest, struct span *line)
{
	const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
	if (!end)
		return false;
	*line = (struct span){rest->data, (size_t)(end - rest->data)};
	*rest = (struct span){end + 1, rest->size - line->size - 1};
	return true;
}

bool parse_decimal(struct span text, uint64_t *out)
{
	uint64_t value = 0;
	if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.size; i++) {
		unsigned digit = text.data[i] - (unsigned)'0';
		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = 10 * value + digit;
	}
	*out = value;
	return true;
}

static unsigned base64_digit(uint8_t character)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = character ? strchr(digits, character) : NULL;
	return at ? (unsigned)(at - digits) : 64;
}

/* Not libsodium's: sodium_base642bin() of 1.0.18 takes every byte from 0x80 on for a '/'. */
bool parse_base64(struct span text, uint8_t *out, size_t capacity, size_t *size)
{
	size_t padding = 0, written = 0;
	while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
		padding++;
	size_t digits = text.size - padding;
	uint32_t bits = 0;
	if (text.size % 4 != 0 || text.size / 4 * 3 - padding > capacity)
		return false;
	for (size_t i = 0; i < digits; i++) {
		unsigned digit = base64_digit(text.data[i]);
		if (digit > 63)
			return false;
		bits = bits << 6 | digit;
		if (i % 4 != 0)
			out[written++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	*size = written;
	return padding == 0 || (bits & (padding == 1 ? 3 : 15)) == 0;
}

struct cbor cbor_of(struct span input) { return (struct cbor){.input = input, .ok = true}; }

/* The first byte is major type and size of the argument; the argument must have the shortest form. */
static uint64_t read_argument(struct cbor *cbor, unsigned additional)
{
	static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
	if (additional < 24)
		return additional;
	size_t width = (size_t)1 << ((additional - 24) & 3);
	if (additional > 27 || cbor->input.size - cbor->at < width) {
		cbor->ok = false;
		return 0;
	}
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | cbor->input.data[cbor->at++];
	if (value < least[additional - 24])
		cbor->ok = false;
	return cbor->ok ? value : 0;
}

uint64_t cbor_head(struct cbor *cbor, enum cbor_major major)
{
	if (!cbor->ok || cbor->at == cbor->input.size || cbor->input.data[cbor->at] >> 5 != major) {
		cbor->ok = false;
		return 0;
	}
	return read_argument(cbor, cbor->input.data[cbor->at++] & 31);
}

void cbor_expect(struct cbor *cbor, enum cbor_major major, uint64_t value)
{
	if (cbor_head(cbor, major) != value)
		cbor->ok = false;
}

struct span cbor_string(struct cbor *cbor, enum cbor_major major)
{
	uint64_t size = cbor_head(cbor, major);
	if (!cbor->ok || size > cbor->input.size - cbor->at) {
		cbor->ok = false;
		return (struct span){(const uint8_t *)"", 0};
	}
	struct span string = {cbor->input.data + cbor->at, (size_t)size};
	cbor->at += (size_t)size;
	return string;
}

void cbor_fixed(struct cbor *cbor, uint8_t *out, size_t size)
{
	struct span string = cbor_string(cbor, CBOR_BYTES);
	memset(out, 0, size);
	if (string.size == size)
		memcpy(out, string.data, size);
	else
		cbor->ok = false;
}

void cbor_skip(struct cbor *cbor, unsigned depth)
{
	if (!cbor->ok || depth == 0 || cbor->at == cbor->input.size) {
		cbor->ok = false;
		return;
	}
	unsigned major = cbor->input.data[cbor->at] >> 5;
	if (major <= CBOR_NEGATIVE) {
		(void)cbor_head(cbor, (enum cbor_major)major);
		return;
	}
	if (major <= CBOR_TEXT) {
		(void)cbor_string(cbor, (enum cbor_major)major);
		return;
	}
	if (major > CBOR_MAP) { /* no tags and no floats stand in an entry's body */
		cbor->ok = false;
		return;
	}
	uint64_t count = cbor_head(cbor, (enum cbor_major)major);
	for (uint64_t i = 0; i < count && cbor->ok; i++) {
		cbor_skip(cbor, depth - 1);
		if (major == CBOR_MAP)
			cbor_skip(cbor, depth - 1);
	}
}

bool cbor_ended(const struct cbor *cbor) { return cbor->ok && cbor->at == cbor->input.size; }

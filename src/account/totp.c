/* One-time codes and the recovery codes that stand in for them. */
#include "accounts.h"

#include <stdio.h>
#include <string.h>

#define STEP_MS 30000
#define RECOVERY_BYTES 10 /* 80 bits: 16 letters */
#define RECOVERY_LETTERS 16
#define DIGITS 6

/* RFC 4648 §6 without padding: sizes here are multiples of five bytes. */
static void base32(const uint8_t *bytes, size_t size, const char *alphabet, char *out)
{
	for (size_t i = 0; i < size; i += 5) {
		uint64_t word = 0;
		for (size_t k = 0; k < 5; k++)
			word = word << 8 | bytes[i + k];
		for (size_t k = 0; k < 8; k++)
			*out++ = alphabet[word >> (35 - 5 * k) & 31];
	}
	*out = '\0';
}

static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", lower[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Dashes are for the eye. */
static void recovery_digest(const struct rs_accounts *accounts, const struct record *record,
                            struct rs_str code, struct rs_digest *out)
{
	char letters[RECOVERY_LETTERS + 1] = "";
	size_t count = 0;
	for (size_t i = 0; i < code.size && count < RECOVERY_LETTERS; i++)
		if (code.data[i] != '-')
			letters[count++] = (char)(code.data[i] | 0x20);
	const struct rs_bytes parts[] = {rs_bytes_of(record->name, strlen(record->name) + 1),
	                                 rs_bytes_of(letters, count)};
	rs_hmac_sha256_parts(rs_bytes_of(accounts->codes.bytes, RS_KEY_SIZE), parts, RS_COUNT(parts), out);
	rs_wipe(letters, sizeof letters);
}

static bool take_recovery(const struct rs_accounts *accounts, struct record *record, struct rs_str code)
{
	struct rs_digest digest;
	recovery_digest(accounts, record, code, &digest);
	for (size_t i = 0; i < record->recovery_count; i++)
		if (rs_digest_equal(&digest, &record->recovery[i])) {
			record->recovery[i] = record->recovery[--record->recovery_count];
			return true;
		}
	return false;
}

bool code_take(const struct rs_accounts *accounts, struct record *record, struct rs_str code)
{
	const uint64_t step = rs_world_now_ms(accounts->world) / STEP_MS;
	char expected[16];
	if (code.size == RECOVERY_LETTERS || code.size == RS_RECOVERY_CODE_SIZE - 1)
		return take_recovery(accounts, record, code);
	if (code.size != DIGITS)
		return false;
	for (uint64_t at = step > 0 ? step - 1 : 0; at <= step + 1; at++) {
		uint32_t number = rs_one_time_code(rs_bytes_of(record->totp, sizeof record->totp), at);
		(void)snprintf(expected, sizeof expected, "%06u", number);
		if (at > record->totp_step && rs_equal_constant_time(expected, code.data, DIGITS)) {
			record->totp_step = at;
			return true;
		}
	}
	return false;
}

static enum rs_code make_recovery(struct rs_accounts *accounts, struct record *record,
                                  struct rs_totp_enrolment *out, struct rs_error *err)
{
	for (size_t i = 0; i < RS_RECOVERY_CODES; i++) {
		uint8_t bytes[RECOVERY_BYTES];
		char letters[RECOVERY_LETTERS + 1];
		RS_TRY(rs_world_random(accounts->world, bytes, sizeof bytes, err));
		base32(bytes, sizeof bytes, lower, letters);
		(void)snprintf(out->codes[i], sizeof out->codes[i], "%.4s-%.4s-%.4s-%.4s", letters,
		               letters + 4, letters + 8, letters + 12);
		recovery_digest(accounts, record, rs_str_from(out->codes[i]), &record->recovery[i]);
		rs_wipe(bytes, sizeof bytes);
		rs_wipe(letters, sizeof letters);
	}
	record->recovery_count = RS_RECOVERY_CODES;
	return RS_OK;
}

/* The organisation's name within a URI (RFC 3986). */
static void percent_encode(const char *text, struct rs_buffer *out)
{
	for (; *text; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
		             (*text >= '0' && *text <= '9') || strchr("-._~", *text);
		if (plain)
			rs_buffer_append_u8(out, (uint8_t)*text);
		else
			rs_buffer_printf(out, "%%%02X", (unsigned)(uint8_t)*text);
	}
}

static enum rs_code write_uri(const struct rs_accounts *accounts, const struct record *record,
                              struct rs_totp_enrolment *out, struct rs_error *err)
{
	struct rs_buffer uri RS_CLEANUP(rs_secret_buffer_finish) = {0};
	char secret[RS_TOTP_SECRET_SIZE / 5 * 8 + 1];
	rs_buffer_init(&uri, sizeof out->uri - 1);
	rs_buffer_reserve(&uri, sizeof out->uri - 1);
	base32(record->totp, sizeof record->totp, upper, secret);
	rs_buffer_append_text(&uri, "otpauth://totp/");
	percent_encode(accounts->settings.issuer, &uri);
	rs_buffer_append_text(&uri, ":");
	percent_encode(record->name, &uri);
	rs_buffer_printf(&uri, "?secret=%s&issuer=", secret);
	percent_encode(accounts->settings.issuer, &uri);
	rs_buffer_append_text(&uri, "&algorithm=SHA1&digits=6&period=30");
	rs_wipe(secret, sizeof secret);
	RS_TRY(rs_buffer_check(&uri, "an enrolment's URI", err));
	memcpy(out->uri, uri.data, uri.size);
	out->uri[uri.size] = '\0';
	return RS_OK;
}

static enum rs_code enrol(struct rs_accounts *accounts, struct record *record, void *context,
                          struct rs_error *err)
{
	struct rs_totp_enrolment *out = context;
	RS_TRY(rs_world_random(accounts->world, record->totp, sizeof record->totp, err));
	record->has_totp = true;
	record->totp_step = 0;
	RS_TRY(make_recovery(accounts, record, out, err));
	return write_uri(accounts, record, out, err);
}

enum rs_code rs_account_totp_enrol(struct rs_accounts *accounts, struct rs_str name,
                                   struct rs_totp_enrolment *out, struct rs_error *err)
{
	return record_update(accounts, name, enrol, out, err);
}

static enum rs_code remove_codes(struct rs_accounts *accounts RS_UNUSED, struct record *record,
                                 void *context RS_UNUSED, struct rs_error *err RS_UNUSED)
{
	record->has_totp = false;
	record->recovery_count = 0;
	return RS_OK;
}

enum rs_code rs_account_totp_remove(struct rs_accounts *accounts, struct rs_str name, struct rs_error *err)
{
	return record_update(accounts, name, remove_codes, NULL, err);
}

/* The table, all of it: every type of transaction × every role, written here a second time by hand, and that a member whose
 * row says nothing is refused whatever is asked; every use of data × every role. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/contract_memory.h"

/* Columns: radiologist, oncologist, researcher, data engineer, hospital administrator, regulator, patient, device.
 * - never, * anywhere, v oversight, o own organisation, s own subject, c custodian, p party of the consent, k own key */
static const struct {
	enum rs_transaction_type type;
	const char *roles;
} table[] = {
	{RS_TRANSACTION_ORGANISATION_ADD, "----**--"},   {RS_TRANSACTION_MEMBER_GRANT, "----o---"},
	{RS_TRANSACTION_MEMBER_REVOKE, "----o---"},      {RS_TRANSACTION_DEVICE_ENROL, "---oo---"},
	{RS_TRANSACTION_DEVICE_REVOKE, "---oo---"},      {RS_TRANSACTION_OBJECT_REGISTER, "ooooo--o"},
	{RS_TRANSACTION_DEVICE_ROTATE, "---oo--k"},      {RS_TRANSACTION_SUBJECT_REGISTER, "oo-oo--o"},
	{RS_TRANSACTION_PROFILE_SET, "----c-s-"},        {RS_TRANSACTION_CONSENT_GRANT, "----c-s-"},
	{RS_TRANSACTION_CONSENT_NARROW, "----p-s-"},     {RS_TRANSACTION_CONSENT_REVOKE, "----c-s-"},
	{RS_TRANSACTION_ACCESS_REQUEST, "*******-"},     {RS_TRANSACTION_BREAK_GLASS, "**------"},
	{RS_TRANSACTION_BREAK_GLASS_REVIEW, "----ov--"}, {RS_TRANSACTION_ERASURE, "----c-s-"},
	{RS_TRANSACTION_CHECKPOINT_ANCHOR, "---ooo--"},
};

static enum rs_scope scope_of(char letter)
{
	static const char letters[] = "-*oscpvk";
	return (enum rs_scope)(strchr(letters, letter) - letters);
}

static void every_role_has_its_scope_for_every_type(void **state)
{
	(void)state;
	assert_int_equal(RS_COUNT(table), RS_TRANSACTION_TYPE_COUNT - 1);
	for (size_t i = 0; i < RS_COUNT(table); i++) {
		assert_int_equal(strlen(table[i].roles), RS_ROLE_COUNT - 1);
		assert_int_equal(rs_contract_scope(table[i].type, RS_ROLE_NONE), RS_SCOPE_NEVER);
		for (unsigned role = 1; role < RS_ROLE_COUNT; role++)
			if (rs_contract_scope(table[i].type, (enum rs_role)role) !=
			    scope_of(table[i].roles[role - 1]))
				fail_msg("%s by %s", rs_transaction_type_name(table[i].type),
				         rs_role_name((enum rs_role)role));
	}
	assert_string_equal(rs_scope_name(RS_SCOPE_NEVER), "never");
	assert_string_equal(rs_scope_name(RS_SCOPE_PARTY), "party");
}

/* The contract obeys the table: a member of each role, and what no row allows. */
static void what_no_row_allows_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(table); i++)
		for (unsigned role = 1; role < RS_ROLE_DEVICE; role++) {
			struct rs_memory_state memory = {.count = 0};
			const struct rs_state view = rs_memory_state_view(&memory);
			enum rs_refusal refusal;
			struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
			                     .id = {1},
			                     .signer = {{1}},
			                     .organisation = RS_STR("A"),
			                     .member = {{1}}};
			assert_int_equal(rs_contract_apply(&view, &act, &refusal, NULL), RS_OK);
			assert_int_equal(refusal, RS_REFUSAL_NONE);
			act.type = RS_TRANSACTION_MEMBER_GRANT;
			act.role = (enum rs_role)role;
			act.member.bytes[0] = 2;
			assert_int_equal(rs_contract_apply(&view, &act, &refusal, NULL), RS_OK);
			assert_int_equal(refusal, RS_REFUSAL_NONE);
			act = (struct rs_act){.type = table[i].type,
			                      .id = {2},
			                      .signer = {{2}},
			                      .organisation = RS_STR("A"),
			                      .member = {{3}},
			                      .role = RS_ROLE_RADIOLOGIST,
			                      .kind = RS_OBJECT_IMAGE,
			                      .subject = {{4}},
			                      .commitment = {{5}},
			                      .instances = 1,
			                      .effect = RS_CONSENT_PERMIT,
			                      .origin = RS_STR("o"),
			                      .size = 1};
			if (act.type == RS_TRANSACTION_OBJECT_REGISTER)
				act.subject.bytes[0] = 0;
			assert_int_equal(rs_contract_apply(&view, &act, &refusal, NULL), RS_OK);
			if ((refusal == RS_REFUSAL_ROLE) != (table[i].roles[role - 1] == '-') &&
			    act.type != RS_TRANSACTION_SUBJECT_REGISTER)
				fail_msg("%s by %s: %s", rs_transaction_type_name(act.type),
				         rs_role_name((enum rs_role)role), rs_refusal_name(refusal));
			rs_memory_state_finish(&memory);
		}
}

/* Role, purpose, operations on which grounds: everything else is on none. */
static const struct {
	unsigned role, purpose;
	const char *
		operations; /* read, extract, train, predict, export; t care, c consent, o own, v oversight, g glass */
} uses[] = {
	{1, 1, "tt-tt"}, {2, 1, "tt-tt"}, {1, 4, "gg-g-"}, {2, 4, "gg-g-"}, {1, 2, "ccccc"}, {2, 2, "ccccc"},
	{3, 2, "ccccc"}, {4, 2, "ccccc"}, {4, 3, "tt---"}, {5, 3, "t---t"}, {6, 5, "v----"}, {7, 6, "o---o"},
};

static unsigned bases_of(char letter)
{
	switch (letter) {
	case 't': return RS_SET(RS_BASIS_CARE) | RS_SET(RS_BASIS_CONSENT);
	case 'c': return RS_SET(RS_BASIS_CONSENT);
	case 'g': return RS_SET(RS_BASIS_BREAK_GLASS) | RS_SET(RS_BASIS_CONSENT);
	case 'o': return RS_SET(RS_BASIS_OWN_DATA);
	case 'v': return RS_SET(RS_BASIS_OVERSIGHT);
	default: return 0;
	}
}

static void data_are_used_on_named_grounds_only(void **state)
{
	(void)state;
	for (unsigned role = 0; role < RS_ROLE_COUNT; role++)
		for (unsigned purpose = 0; purpose <= 7; purpose++)
			for (unsigned operation = 0; operation <= 6; operation++) {
				unsigned expected = 0;
				for (size_t i = 0; i < RS_COUNT(uses); i++)
					if (uses[i].role == role && uses[i].purpose == purpose &&
					    operation >= 1 && operation <= 5)
						expected = bases_of(uses[i].operations[operation - 1]);
				assert_int_equal(rs_contract_bases((enum rs_role)role,
				                                   (enum rs_purpose)purpose,
				                                   (enum rs_operation)operation),
				                 expected);
			}
}

static void refusals_have_names_and_sentences_of_their_own(void **state)
{
	(void)state;
	assert_string_equal(rs_refusal_name(RS_REFUSAL_FORKED), "FORKED");
	assert_int_equal(RS_REFUSAL_FORKED, 29);
	assert_int_equal(RS_REFUSAL_ID_TAKEN, 10);
	for (unsigned i = 0; i < RS_REFUSAL_COUNT; i++)
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(rs_refusal_text((enum rs_refusal)i),
			                        rs_refusal_text((enum rs_refusal)k));
			assert_string_not_equal(rs_refusal_name((enum rs_refusal)i),
			                        rs_refusal_name((enum rs_refusal)k));
		}
	assert_string_equal(rs_basis_name(RS_BASIS_BREAK_GLASS), "break-glass");
}

static char readme[65536];

static void has_line(const struct rs_buffer *line)
{
	char text[1024];
	snprintf(text, sizeof text, RS_STR_FORMAT, RS_STR_ARGUMENTS(rs_buffer_str(line)));
	if (!strstr(readme, text))
		fail_msg("contracts/README.md does not have: %s", text);
}

static void write_bases(struct rs_buffer *line, unsigned bases)
{
	bool any = false;
	for (unsigned basis = 1; basis <= RS_BASIS_BREAK_GLASS; basis++)
		if (bases >> basis & 1) {
			rs_buffer_printf(line, "%s%s", any ? " or " : "",
			                 rs_basis_name((enum rs_basis)basis));
			any = true;
		}
	rs_buffer_append_text(line, any ? " |" : "\xe2\x80\x93 |");
}

static void the_documented_scopes(struct rs_buffer *line)
{
	for (unsigned type = 1; type < RS_TRANSACTION_TYPE_COUNT; type++) {
		rs_buffer_clear(line);
		rs_buffer_printf(line, "\n| `%s` |",
		                 rs_transaction_type_name((enum rs_transaction_type)type));
		for (unsigned role = 1; role < RS_ROLE_COUNT; role++) {
			enum rs_scope scope = rs_contract_scope((enum rs_transaction_type)type,
			                                        (enum rs_role)role);
			rs_buffer_printf(line, " %s |",
			                 scope == RS_SCOPE_NEVER ? "\xe2\x80\x93" : rs_scope_name(scope));
		}
		rs_buffer_append_text(line, "\n");
		has_line(line);
	}
}

static void the_documented_grounds(struct rs_buffer *line)
{
	static const char *const purposes[] = {
#define PURPOSE_NAME(name, number, text, code) [number] = text,
		RS_PURPOSES(PURPOSE_NAME)
#undef PURPOSE_NAME
	};
	for (unsigned role = 1; role < RS_ROLE_COUNT; role++)
		for (unsigned purpose = 1; purpose < RS_COUNT(purposes); purpose++) {
			unsigned any = 0;
			rs_buffer_clear(line);
			rs_buffer_printf(line, "\n| %s | %s |", rs_role_name((enum rs_role)role),
			                 purposes[purpose]);
			for (unsigned operation = 1; operation <= RS_OPERATION_EXPORT; operation++) {
				unsigned bases = rs_contract_bases((enum rs_role)role,
				                                   (enum rs_purpose)purpose,
				                                   (enum rs_operation)operation);
				any |= bases;
				rs_buffer_append_text(line, " ");
				write_bases(line, bases);
			}
			rs_buffer_append_text(line, "\n");
			if (any)
				has_line(line);
		}
}

/* contracts/README.md tells the tables and the refusals as they are. */
static void the_description_is_true(void **state)
{
	char path[1024];
	const char *source = getenv("RADSEAL_SOURCE");
	struct rs_buffer line RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	snprintf(path, sizeof path, "%s/contracts/README.md", source ? source : ".");
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t size = fread(readme, 1, sizeof readme - 1, file);
	fclose(file);
	assert_in_range(size, 1000, sizeof readme - 2);
	rs_buffer_init(&line, 4096);
	the_documented_scopes(&line);
	the_documented_grounds(&line);
	for (unsigned i = 0; i < RS_REFUSAL_COUNT; i++) {
		rs_buffer_clear(&line);
		rs_buffer_printf(&line, "\n| %u | `%s` | %s |\n", i, rs_refusal_name((enum rs_refusal)i),
		                 rs_refusal_text((enum rs_refusal)i));
		has_line(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_has_its_scope_for_every_type),
		cmocka_unit_test(what_no_row_allows_is_refused),
		cmocka_unit_test(data_are_used_on_named_grounds_only),
		cmocka_unit_test(refusals_have_names_and_sentences_of_their_own),
		cmocka_unit_test(the_description_is_true),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}

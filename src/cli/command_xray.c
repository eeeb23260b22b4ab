/* radseal xray: paper B's functions by their names, over the same members, objects and profiles as everything else. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "access_words.h"
#include "contract/contract_xray.h"
#include "people.h"
#include "report.h"
#include "access/access_profile.h"
#include "workflow/workflow.h"

#define VALUE_FILE_MAX (RS_PROFILE_VALUE_MAX + 2)

static enum rs_code find_subject(const struct command_line *line, struct rs_node *node,
                                 struct rs_node_subject *out, struct rs_error *err)
{
	const char *patient_id = option_value(line, "subject"), *issuer = option_value(line, "issuer");
	if (!patient_id)
		return rs_error_set(err, RS_USAGE, "xray %s: name the --subject", line->operands[0]);
	return rs_node_subject(node, issuer ? issuer : "", patient_id, out, err);
}

static enum rs_code read_type(const struct command_line *line, enum rs_xray_user *out, struct rs_error *err)
{
	static const char *const names[] = {
		[RS_XRAY_HOST] = "host", [RS_XRAY_DOCTOR] = "doctor", [RS_XRAY_GOV] = "gov"};
	const char *text = option_value(line, "type");
	for (unsigned i = 0; text && i < RS_COUNT(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum rs_xray_user)i;
			return RS_OK;
		}
	return rs_error_set(err, RS_USAGE, "xray setPermission: --type is one of host, doctor and gov");
}

/* Both permissions: what the facade makes of the function's name is signed and told. */
static enum rs_code permission(const struct command_line *line, struct rs_node *node,
                               const struct rs_actor *actor, struct rs_error *err)
{
	const char *function = line->operands[0], *name = option_value(line, "name");
	struct rs_xray_arguments arguments = {.time_ms = rs_world_now_ms(rs_world_system()),
	                                      .organisation = rs_actor_organisation(actor),
	                                      .allowed = !option_given(line, "deny")};
	struct rs_act act;
	if (strcmp(function, "setPermission") == 0)
		RS_TRY(read_type(line, &arguments.type, err));
	RS_TRY(session_time(line, "until", 0, &arguments.until_ms, err));
	RS_TRY(rs_node_find_person(node, line->operands[1], &arguments.user, err));
	if (name)
		RS_TRY(rs_node_name_keep(node, &arguments.user, rs_str_from(name), &arguments.name, err));
	RS_TRY(rs_xray_act(rs_str_from(function), &arguments, &act, err));
	return people_act(line, node, actor, &act, err);
}

struct sealing {
	struct report *report;
	struct rs_error failure;
};

static void take_sealed(void *context, const struct rs_admit_result *result)
{
	struct sealing *sealing = context;
	const struct field fields[] = {
		{"receipt", result->receipt_path, 1},
		{"outcome", result->outcome == RS_ADMIT_KNOWN ? "known" : "sealed", 0}};
	if (result->outcome == RS_ADMIT_FAILED || result->outcome == RS_ADMIT_SKIPPED)
		sealing->failure = result->error;
	else
		report_row(sealing->report, fields, RS_COUNT(fields));
}

static enum rs_code set_xrayhash(const struct command_line *line, struct rs_node *node,
                                 const struct rs_actor *actor, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	struct sealing sealing = {.report = &report};
	const struct rs_admit_options options = {.actor = actor,
	                                         .place = option_value(line, "place"),
	                                         .subject = option_value(line, "subject"),
	                                         .report = take_sealed,
	                                         .context = &sealing};
	char *const paths[] = {line->operands[1]};
	report_begin(&report, line, false);
	RS_TRY(rs_node_admit(node, paths, 1, &options, err));
	if (sealing.failure.code != RS_OK) {
		*err = sealing.failure;
		return err->code;
	}
	return report_end(&report, err);
}

/* The subject's images alone: objects of other kinds are no X-rays. */
struct images {
	uint64_t count;
	struct rs_xray_hash wanted; /* the image of this number, when it was found */
	bool found;
};

static enum rs_code look_at_images(struct rs_node *node, const struct rs_node_subject *subject,
                                   uint64_t wanted, struct images *out, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(node);
	uint64_t objects;
	*out = (struct images){.count = 0};
	RS_TRY(rs_xray_count(&state, &subject->token, &objects, err));
	for (uint64_t i = 0; i < objects; i++) {
		struct rs_xray_hash hash;
		RS_TRY(rs_xray_get(&state, &subject->token, i, &hash, err));
		if (hash.kind != RS_OBJECT_IMAGE)
			continue;
		if (out->count++ == wanted) {
			out->wanted = hash;
			out->found = true;
		}
	}
	return RS_OK;
}

static enum rs_code get_count(const struct command_line *line, struct rs_node *node,
                              const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	struct rs_node_subject subject;
	struct images images;
	char number[24];
	RS_TRY(find_subject(line, node, &subject, err));
	RS_TRY(look_at_images(node, &subject, UINT64_MAX, &images, err));
	(void)snprintf(number, sizeof number, "%" PRIu64, images.count);
	const struct field fields[] = {{"#count", number, 1}};
	report_begin(&report, line, false);
	report_row(&report, fields, RS_COUNT(fields));
	return report_end(&report, err);
}

static void hex_or_empty(const struct rs_digest *digest, char out[static 2 * RS_SHA256_SIZE + 1])
{
	static const struct rs_digest none;
	out[0] = '\0';
	if (!rs_digest_equal(digest, &none))
		rs_hex_encode(rs_bytes_of(digest->bytes, RS_SHA256_SIZE), out);
}

/* The name as this node keeps it, when that is the one the ledger commits to. */
static enum rs_code doctors_name(struct rs_node *node, const struct rs_member_key *doctor,
                                 char out[static RS_LOCAL_NAME_MAX + 1], struct rs_error *err)
{
	struct rs_people people RS_CLEANUP(rs_people_finish) = {.count = 0};
	out[0] = '\0';
	RS_TRY(rs_node_people(node, &people, err));
	for (size_t i = 0; i < people.count; i++)
		if (rs_member_key_equal(&people.list[i].person.key, doctor))
			memcpy(out, people.list[i].name, RS_LOCAL_NAME_MAX + 1);
	return RS_OK;
}

static enum rs_code print_hash(const struct command_line *line, struct rs_node *node,
                               const struct rs_xray_hash *hash, const char *place, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	char time[RS_TIME_TEXT_SIZE], doctor[RS_MEMBER_KEY_TEXT_SIZE], name[RS_LOCAL_NAME_MAX + 1];
	char commitment[2 * RS_SHA256_SIZE + 1], label[2 * RS_SHA256_SIZE + 1];
	rs_format_time_ms(hash->time_ms, time);
	rs_member_key_format(&hash->doctor, doctor);
	hex_or_empty(&hash->commitment, commitment);
	hex_or_empty(&hash->place, label);
	RS_TRY(doctors_name(node, &hash->doctor, name, err));
	const struct field fields[] = {{"time", time, 24},         {"doctor", doctor, 64},
	                               {"doctor_name", name, 16},  {"commitment", commitment, 64},
	                               {"place_label", label, 64}, {"place", place, 1}};
	report_begin(&report, line, false);
	report_row(&report, fields, RS_COUNT(fields));
	return report_end(&report, err);
}

static enum rs_code get_hash(const struct command_line *line, struct rs_node *node,
                             const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	const char *place = option_value(line, "place");
	struct rs_node_subject subject;
	struct rs_digest label;
	struct images images;
	uint64_t number;
	if (!rs_parse_u64(rs_str_from(line->operands[1]), &number) || number == UINT64_MAX)
		return rs_error_set(err, RS_USAGE, "xray getXrayhash: '%s' is no number; the first is 0",
		                    line->operands[1]);
	RS_TRY(find_subject(line, node, &subject, err));
	RS_TRY(look_at_images(node, &subject, number, &images, err));
	if (!images.found)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "there is no image %" PRIu64 "; the subject has %" PRIu64, number,
		                    images.count);
	RS_TRY(rs_node_commitment(node, &subject, RS_COMMITMENT_PLACE, rs_str_from(place), &label, err));
	if (place && !rs_digest_equal(&label, &images.wanted.place))
		return rs_error_set(err, RS_ALTERED, "the ledger commits to another place, or to none");
	return print_hash(line, node, &images.wanted, place, err);
}

/* Out of a file: what stands on a command line, others read. */
static enum rs_code set_profile(const struct command_line *line, struct rs_node *node,
                                const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	const bool birthday = strcmp(line->operands[0], "setBirthday") == 0;
	struct rs_node_subject subject;
	struct rs_member_key owner = rs_actor_id(actor);
	uint64_t entry;
	RS_TRY(find_subject(line, node, &subject, err));
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[1], VALUE_FILE_MAX, &content, err));
	RS_TRY(rs_node_profile_set(node, actor, &subject, birthday ? RS_PROFILE_BIRTHDAY : RS_PROFILE_CONTACT,
	                           rs_str_trim(rs_buffer_str(&content)), &entry, err));
	return people_told(line, &owner, RS_TRANSACTION_PROFILE_SET, entry, err);
}

static enum rs_code reveal(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor, const struct rs_node_subject *subject, bool is_set,
                           enum rs_profile_attribute attribute, struct rs_buffer *out, struct rs_error *err)
{
	enum rs_purpose purpose;
	rs_buffer_init(out, RS_PROFILE_VALUE_MAX + 1);
	if (!is_set || !option_given(line, "reveal"))
		return RS_OK;
	RS_TRY(option_purpose(line, &purpose, err));
	RS_TRY(rs_node_profile_read(node, actor, subject, attribute, purpose, out, err));
	rs_buffer_append_u8(out, '\0');
	return rs_buffer_check(out, "a value of the profile", err);
}

static enum rs_code profile(const struct command_line *line, struct rs_node *node,
                            const struct rs_actor *actor, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	struct rs_buffer birthday RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer contact RS_CLEANUP(rs_secret_buffer_finish) = {0};
	const struct rs_state state = rs_node_state(node);
	struct rs_node_subject subject;
	struct rs_xray_profile facts;
	char patient[FINGERPRINT_SIZE], labels[2][2 * RS_SHA256_SIZE + 1];
	RS_TRY(find_subject(line, node, &subject, err));
	RS_TRY(rs_xray_profile(&state, &subject.token, &facts, err));
	RS_TRY(reveal(line, node, actor, &subject, facts.birthday.set, RS_PROFILE_BIRTHDAY, &birthday, err));
	RS_TRY(reveal(line, node, actor, &subject, facts.contact.set, RS_PROFILE_CONTACT, &contact, err));
	people_fingerprint(&facts.patient, patient);
	hex_or_empty(&facts.birthday.commitment, labels[0]);
	hex_or_empty(&facts.contact.commitment, labels[1]);
	const struct field fields[] = {{"patient", patient, 16},
	                               {"birthday_commitment", facts.birthday.set ? labels[0] : "", 64},
	                               {"contact_commitment", facts.contact.set ? labels[1] : "", 64},
	                               {"birthday", (const char *)birthday.data, 10},
	                               {"contact", (const char *)contact.data, 1}};
	report_begin(&report, line, false);
	report_row(&report, fields, RS_COUNT(fields));
	return report_end(&report, err);
}

static const struct people_action actions[] = {
	{"setPermission", 1, true, permission},    {"removePermission", 1, true, permission},
	{"setXrayhash", 1, true, set_xrayhash},    {"getXrayhash", 1, false, get_hash},
	{"getXrayhashCount", 0, false, get_count}, {"setBirthday", 1, true, set_profile},
	{"setContact", 1, true, set_profile},      {"profile", 0, true, profile},
};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	return people_run(line, actions, RS_COUNT(actions), err);
}

static const struct option options[] = {
	{"subject", "ID", "the patient, as sealed: whose contract it is in the paper"},
	{"issuer", "TEXT", "who issued that identifier (IssuerOfPatientID)"},
	{"type", "TYPE", "setPermission: host, doctor or gov"},
	{"deny", NULL, "setPermission: take the permission away (allowed = false)"},
	{"until", "TIME", "setPermission: the permission ends then (2027-01-31, +90d); otherwise it is open"},
	{"name", "TEXT",
         "setPermission: who that is, kept encrypted in this node; the ledger gets a commitment"},
	{"place", "TEXT", "setXrayhash: what was imaged, as a commitment; getXrayhash: whether it is that"},
	{"reveal", NULL, "profile: the values, too; the access is an entry in the ledger first"},
	{"purpose", "PURPOSE", "profile --reveal: what for"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal xray setPermission dr-1 --type doctor", "the host lets a doctor register X-rays"},
	{"radseal xray setXrayhash chest.dcm --as dr-1 --place \"chest, p.a.\"", "the doctor registers one"},
	{"radseal xray getXrayhash 0 --subject P017 --json",
         "who registered the first one, when, and its hash"},
	{"radseal xray removePermission dr-1", "the doctor's next setXrayhash is refused, with status 3"},
	{"radseal xray profile --subject P017 --reveal --purpose operations",
         "birthday and contact, recorded"},
	{NULL, NULL},
};

const struct command command_xray = {
	.name = "xray",
	.arguments = "FUNCTION [WHO | FILE | INDEX] [--subject ID] [--as NAME] [--home DIR]",
	.summary = "the X-ray contract of paper B, function by function",
	.description =
		"FUNCTION is setPermission, removePermission (WHO as in radseal member), setXrayhash (an image\n"
		"file: it is sealed and signed by the doctor), getXrayhash (INDEX from 0), getXrayhashCount,\n"
		"setBirthday, setContact (a file with the value) or profile. Host, doctor and gov are hospital\n"
		"administrator, radiologist and regulator. Hashes are keyed, names, places, birthday and contact\n"
		"salted commitments; values lie encrypted in the vault and are erased with the subject.",
	.options = options,
	.examples = examples,
	.run = run,
};

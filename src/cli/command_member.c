/* radseal member: who may do what, granted, revoked, handed on to another key, listed. */
#include <stdio.h>

#include "people.h"
#include "node/node_subject.h"

/* The names of a table of the contract, for a sentence. */
static enum rs_code read_role(const struct command_line *line, enum rs_role *out, struct rs_error *err)
{
	const char *text = option_value(line, "role");
	if (text && rs_role_from_name(rs_str_from(text), out) && *out != RS_ROLE_DEVICE)
		return RS_OK;
	return rs_error_set(
		err, RS_USAGE,
		"member grant: --role is one of radiologist, oncologist, researcher, data-engineer, "
		"hospital-administrator, regulator and patient%s",
		text ? "" : "; there is none");
}

static enum rs_code grant(const struct command_line *line, struct rs_node *node, const struct rs_actor *actor,
                          struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT,
	                     .organisation = rs_str_from(option_value(line, "org"))};
	const char *name = option_value(line, "name");
	const uint64_t now_ms = rs_world_now_ms(rs_world_system());
	RS_TRY(read_role(line, &act.role, err));
	RS_TRY(session_time(line, "from", now_ms, &act.from_ms, err));
	RS_TRY(session_time(line, "until", 0, &act.until_ms, err));
	if (act.until_ms && act.until_ms <= act.from_ms)
		return rs_error_set(err, RS_USAGE, "member grant: --until is not after --from");
	RS_TRY(rs_node_find_person(node, line->operands[1], &act.member, err));
	if (name)
		RS_TRY(rs_node_name_keep(node, &act.member, rs_str_from(name), &act.label, err));
	return people_act(line, node, actor, &act, err);
}

static enum rs_code revoke(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_REVOKE};
	RS_TRY(rs_node_find_person(node, line->operands[1], &act.member, err));
	return people_act(line, node, actor, &act, err);
}

static enum rs_code rotate(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_member_key old, replacement;
	uint64_t entry;
	RS_TRY(rs_node_find_person(node, line->operands[1], &old, err));
	RS_TRY(rs_node_find_person(node, line->operands[2], &replacement, err));
	RS_TRY(rs_node_member_rotate(node, actor, &old, &replacement, &entry, err));
	return people_told(line, &replacement, RS_TRANSACTION_MEMBER_GRANT, entry, err);
}

/* A patient's or guardian's key: it acts for the subject from now on, and no other. */
static enum rs_code act_for(const struct command_line *line, struct rs_node *node,
                            const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_SUBJECT_REGISTER};
	const char *patient_id = option_value(line, "subject"), *issuer = option_value(line, "issuer");
	struct rs_node_subject subject;
	if (!patient_id)
		return rs_error_set(err, RS_USAGE, "member act-for: name the --subject");
	RS_TRY(rs_node_find_person(node, line->operands[1], &act.member, err));
	RS_TRY(rs_node_subject(node, issuer ? issuer : "", patient_id, &subject, err));
	act.subject = subject.token;
	return people_act(line, node, actor, &act, err);
}

static enum rs_code forget(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	struct rs_member_key key;
	RS_TRY(rs_node_find_person(node, line->operands[1], &key, err));
	return rs_node_name_forget(node, &key, err);
}

static enum rs_code list(const struct command_line *line, struct rs_node *node,
                         const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	return people_list(line, node, false, err);
}

static const struct people_action actions[] = {{"grant", 1, true, grant},   {"revoke", 1, true, revoke},
                                               {"rotate", 2, true, rotate}, {"act-for", 1, true, act_for},
                                               {"forget", 1, true, forget}, {"list", 0, false, list}};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	return people_run(line, actions, RS_COUNT(actions), err);
}

static const struct option options[] = {
	{"role", "ROLE",
         "grant: radiologist, oncologist, researcher, data-engineer, hospital-administrator, "
         "regulator or patient"},
	{"org", "NAME", "grant: the organisation; otherwise that of who signs"},
	{"from", "TIME", "grant: the role begins (2027-01-31, 2027-01-31T12:00:00Z, +7d); otherwise now"},
	{"until", "TIME", "grant: the role ends then; otherwise it is open"},
	{"name", "TEXT",
         "grant: who that is, kept encrypted in this node; the ledger gets a salted commitment"},
	{"subject", "ID", "act-for: the patient's identifier, as sealed"},
	{"issuer", "TEXT", "act-for: who issued that identifier (IssuerOfPatientID)"},
	{"expiring", "DAYS", "list: only roles that end within so many days, or have ended"},
	{"history", "WHO", "list: all that happened to one key"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal member grant reader-2 --role radiologist --until 2027-12-31 --name \"Dr. Example\"",
         "a role for the key keys/reader-2.key, until the end of 2027"},
	{"radseal member grant 3f0c… --role researcher --as research --home /srv/radseal",
         "for a key from elsewhere, signed by the administrator of another organisation"},
	{"radseal member revoke reader-2", "from now on everything that this key signs is refused"},
	{"radseal member rotate reader-2 reader-3",
         "the same role for another key, which takes the old one's place"},
	{"radseal member act-for p-17 --subject P017",
         "the key of a patient, or guardian, who gives consent for P017"},
	{"radseal member list --expiring 30", "whose roles end within a month"},
	{NULL, NULL},
};

const struct command command_member = {
	.name = "member",
	.arguments = "grant|revoke|rotate|act-for|forget|list [WHO…] [--role ROLE] [--as NAME] [--home DIR]",
	.summary = "grant and revoke roles, hand them on to another key, list members",
	.description =
		"WHO is a public key (64 hexadecimal digits), the first of them (at least eight) of a key on the\n"
		"ledger, the name of a key file, or node: the node's administrator. Each change is an entry in\n"
		"the ledger, signed by an administrator of the member's organisation, or refused with status 3\n"
		"and the refusal's name. rotate grants the new key what the old one has and revokes that; the\n"
		"ids of both entries are made from the two keys, which links them. Names of people are never on\n"
		"the ledger: it has commitments; forget deletes name and salt, and the commitment tells nothing.",
	.options = options,
	.examples = examples,
	.run = run,
};

/* Members and devices: found, listed, followed through the log, rotated. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"
#include "names.h"
#include "node/node_keys.h"

#define PREFIX_MIN 8
#define ROTATION "radseal member rotation v1"
enum rotation_step { ROTATION_GRANT = 1, ROTATION_REVOKE = 2 };

struct finding {
	struct rs_str prefix;
	struct rs_member_key *out;
	size_t count;
};

static enum rs_code compare_prefix(void *context, const struct rs_person *person,
                                   struct rs_error *err RS_UNUSED)
{
	struct finding *finding = context;
	char text[RS_MEMBER_KEY_TEXT_SIZE];
	rs_member_key_format(&person->key, text);
	if (!rs_bytes_equal(rs_bytes_of(text, finding->prefix.size), rs_bytes_of_str(finding->prefix)))
		return RS_OK;
	*finding->out = person->key;
	finding->count++;
	return RS_OK;
}

static bool is_prefix(const char *text)
{
	size_t size = strlen(text);
	return size >= PREFIX_MIN && size < RS_MEMBER_KEY_TEXT_SIZE &&
	       strspn(text, "0123456789abcdef") == size;
}

enum rs_code rs_node_find_person(struct rs_node *node, const char *text, struct rs_member_key *out,
                                 struct rs_error *err)
{
	const struct rs_keys_place place = {node->world, node->directory};
	const struct rs_state state = rs_node_state(node);
	struct rs_member_key found;
	struct finding finding = {rs_str_from(text), &found, 0};
	if (strlen(text) == RS_MEMBER_KEY_TEXT_SIZE - 1)
		return rs_member_key_parse(rs_str_from(text), out, err);
	if (strcmp(text, "node") == 0) {
		*out = rs_keyring_member_id(node->keyring);
		return RS_OK;
	}
	enum rs_code code = rs_key_public(&place, text, rs_bytes_of("", 0), out, err);
	if (code != RS_NOT_FOUND || !is_prefix(text))
		return code;
	RS_TRY(rs_contract_each_person(&state, compare_prefix, &finding, err));
	if (finding.count != 1)
		return rs_error_set(err, finding.count ? RS_USAGE : RS_NOT_FOUND,
		                    "%zu keys on the ledger begin with %s%s", finding.count, text,
		                    finding.count ? "; give more digits" : ", and no key file has this name");
	*out = found;
	return RS_OK;
}

void rs_people_finish(struct rs_people *people) { rs_free(people->list); }

struct collecting {
	struct rs_people *people;
	size_t capacity;
	const struct names *names;
	bool revoked; /* somebody was */
};

static void set_name(const struct names *names, struct rs_person_status *status)
{
	static const struct rs_digest none;
	const struct kept_name *name = names_find(names, &status->person.key);
	struct rs_digest label;
	if (!name)
		return;
	name_label(name, &label);
	if (rs_digest_equal(&status->person.label, &none) || rs_digest_equal(&status->person.label, &label))
		memcpy(status->name, name->text, sizeof status->name);
}

static enum rs_code collect(void *context, const struct rs_person *person, struct rs_error *err)
{
	struct collecting *collecting = context;
	struct rs_people *people = collecting->people;
	if (people->count == collecting->capacity) {
		size_t capacity = collecting->capacity ? 2 * collecting->capacity : 64;
		void *list = rs_reallocate(people->list, capacity * sizeof *people->list);
		if (!list)
			return rs_error_memory(err, capacity * sizeof *people->list, "members");
		people->list = list;
		collecting->capacity = capacity;
	}
	struct rs_person_status *status = &people->list[people->count++];
	*status = (struct rs_person_status){.person = *person, .successor = person->successor};
	set_name(collecting->names, status);
	collecting->revoked = collecting->revoked || person->revoked;
	return RS_OK;
}

static void rotation_id(enum rotation_step step, const struct rs_member_key *old,
                        const struct rs_member_key *replacement, uint8_t out[static RS_TRANSACTION_ID_SIZE])
{
	const uint8_t number = (uint8_t)step;
	struct rs_sha256 hash;
	struct rs_digest digest;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, ROTATION, strlen(ROTATION));
	rs_sha256_update(&hash, &number, 1);
	rs_sha256_update(&hash, old->bytes, sizeof old->bytes);
	rs_sha256_update(&hash, replacement->bytes, sizeof replacement->bytes);
	rs_sha256_final(&hash, &digest);
	memcpy(out, digest.bytes, RS_TRANSACTION_ID_SIZE);
}

static bool is_rotation(const struct rs_act *act, enum rotation_step step, const struct rs_member_key *old,
                        const struct rs_member_key *replacement)
{
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	rotation_id(step, old, replacement, id);
	return memcmp(id, act->id, sizeof id) == 0;
}

/* Which key's revocation, or rotation, the entry is. */
static bool revokes(const struct rs_act *act)
{
	return act->type == RS_TRANSACTION_MEMBER_REVOKE || act->type == RS_TRANSACTION_DEVICE_REVOKE ||
	       act->type == RS_TRANSACTION_DEVICE_ROTATE;
}

static void note_revocation(struct rs_people *people, const struct rs_act *act)
{
	struct rs_person_status *status = NULL;
	for (size_t i = 0; i < people->count; i++)
		if (rs_member_key_equal(&people->list[i].person.key, &act->member))
			status = &people->list[i];
	if (!status || status->revoked_ms)
		return;
	status->revoked_ms = act->time_ms;
	for (size_t i = 0; act->type == RS_TRANSACTION_MEMBER_REVOKE && i < people->count; i++)
		if (is_rotation(act, ROTATION_REVOKE, &act->member, &people->list[i].person.key))
			status->successor = people->list[i].person.key;
}

typedef enum rs_code see_act(void *context, uint64_t index, const struct rs_act *act, struct rs_error *err);

static enum rs_code walk_log(struct rs_node *node, see_act *see, void *context, struct rs_error *err)
{
	uint64_t size = rs_ledger_size(node->ledger);
	for (uint64_t index = 0; index < size; index++) {
		struct rs_bytes entry;
		struct rs_act act;
		RS_TRY(rs_ledger_entry(node->ledger, index, &entry, err));
		if (rs_transaction_parse(entry, &act, err) != RS_OK)
			return rs_error_context(err, "entry %" PRIu64, index);
		RS_TRY(see(context, index, &act, err));
	}
	return RS_OK;
}

static enum rs_code see_revocation(void *context, uint64_t index RS_UNUSED, const struct rs_act *act,
                                   struct rs_error *err RS_UNUSED)
{
	if (revokes(act))
		note_revocation(context, act);
	return RS_OK;
}

enum rs_code rs_node_people(struct rs_node *node, struct rs_people *out, struct rs_error *err)
{
	struct rs_people people RS_CLEANUP(rs_people_finish) = {.count = 0};
	struct names names RS_CLEANUP(names_finish) = {.count = 0};
	struct collecting collecting = {.people = &people, .names = &names};
	const struct rs_state state = rs_node_state(node);
	RS_TRY(names_read(node, &names, err));
	RS_TRY(rs_contract_each_person(&state, collect, &collecting, err));
	if (collecting.revoked)
		RS_TRY(walk_log(node, see_revocation, &people, err));
	*out = people;
	people.list = NULL;
	return RS_OK;
}

struct following {
	const struct rs_member_key *key;
	const struct rs_people *people; /* whose keys may be linked */
	rs_person_event_visit *visit;
	void *context;
};

static bool is_about(const struct rs_act *act, const struct rs_member_key *key)
{
	switch (act->type) {
	case RS_TRANSACTION_DEVICE_ROTATE:
		if (rs_member_key_equal(&act->successor, key))
			return true;
		return rs_member_key_equal(&act->member, key);
	case RS_TRANSACTION_ORGANISATION_ADD:
	case RS_TRANSACTION_MEMBER_GRANT:
	case RS_TRANSACTION_MEMBER_REVOKE:
	case RS_TRANSACTION_DEVICE_ENROL:
	case RS_TRANSACTION_DEVICE_REVOKE: return rs_member_key_equal(&act->member, key);
	default: return false;
	}
}

static enum rs_code see_event(void *context, uint64_t index, const struct rs_act *act, struct rs_error *err)
{
	const struct following *following = context;
	struct rs_person_event event = {.entry = index, .act = *act};
	if (!is_about(act, following->key))
		return RS_OK;
	if (act->type == RS_TRANSACTION_DEVICE_ROTATE) {
		bool old = rs_member_key_equal(&act->member, following->key);
		*(old ? &event.successor : &event.predecessor) = old ? act->successor : act->member;
	}
	for (size_t i = 0; i < following->people->count; i++) {
		const struct rs_member_key *other = &following->people->list[i].person.key;
		if (act->type == RS_TRANSACTION_MEMBER_REVOKE &&
		    is_rotation(act, ROTATION_REVOKE, &act->member, other))
			event.successor = *other;
		if (act->type == RS_TRANSACTION_MEMBER_GRANT &&
		    is_rotation(act, ROTATION_GRANT, other, &act->member))
			event.predecessor = *other;
	}
	return following->visit(following->context, &event, err);
}

enum rs_code rs_node_each_person_event(struct rs_node *node, const struct rs_member_key *key,
                                       rs_person_event_visit *visit, void *context, struct rs_error *err)
{
	struct rs_people people RS_CLEANUP(rs_people_finish) = {.count = 0};
	struct names names = {.count = 0};
	struct collecting collecting = {.people = &people, .names = &names};
	struct following following = {key, &people, visit, context};
	const struct rs_state state = rs_node_state(node);
	RS_TRY(rs_contract_each_person(&state, collect, &collecting, err));
	return walk_log(node, see_event, &following, err);
}

/* One step of a rotation; its id says whether it was taken before. */
static enum rs_code rotate_step(struct rs_node *node, const struct rs_actor *actor, enum rotation_step step,
                                const struct rs_person *old, const struct rs_member_key *replacement,
                                uint64_t *out_entry, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_REVOKE, .member = old->key};
	if (step == ROTATION_GRANT)
		act = (struct rs_act){.type = RS_TRANSACTION_MEMBER_GRANT,
		                      .member = *replacement,
		                      .organisation = rs_str_from(old->organisation),
		                      .role = old->role,
		                      .from_ms = old->from_ms,
		                      .until_ms = old->until_ms,
		                      .label = old->label};
	rotation_id(step, &old->key, replacement, act.id);
	return rs_node_transact(node, actor, &act, out_entry, err);
}

enum rs_code rs_node_member_rotate(struct rs_node *node, const struct rs_actor *actor,
                                   const struct rs_member_key *old, const struct rs_member_key *replacement,
                                   uint64_t *out_entry, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(node);
	struct names names RS_CLEANUP(names_finish) = {.count = 0};
	struct rs_person person;
	uint64_t revoked;
	RS_TRY(rs_contract_person(&state, old, &person, err));
	if (person.role == RS_ROLE_DEVICE || person.revoked || rs_member_key_equal(old, replacement))
		return rs_error_set(err, RS_USAGE, "member rotate: %s",
		                    person.role == RS_ROLE_DEVICE
		                            ? "it is a device; see radseal device rotate"
		                    : person.revoked ? "the key was revoked: there is nothing to hand on"
		                                     : "the new key is the old one");
	/* The new key's label commits to the same name, under a salt of its own: the old one says nothing about it. */
	person.label = (struct rs_digest){{0}};
	RS_TRY(names_read(node, &names, err));
	const struct kept_name *name = names_find(&names, old);
	if (name)
		RS_TRY(rs_node_name_keep(node, replacement, rs_str_from(name->text), &person.label, err));
	RS_TRY(rotate_step(node, actor, ROTATION_GRANT, &person, replacement, out_entry, err));
	return rotate_step(node, actor, ROTATION_REVOKE, &person, replacement, &revoked, err);
}

static enum rs_code refuse(enum rs_refusal refusal, struct rs_error *err)
{
	return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(refusal), rs_refusal_text(refusal));
}

enum rs_code rs_node_person_in_force(struct rs_node *node, const struct rs_member_key *key,
                                     struct rs_person *out, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(node);
	const uint64_t now_ms = rs_world_now_ms(node->world);
	struct rs_person person;
	enum rs_code code = rs_contract_person(&state, key, &person, err);
	if (code == RS_NOT_FOUND)
		return refuse(RS_REFUSAL_UNKNOWN_SIGNER, err);
	RS_TRY(code);
	if (person.revoked)
		return refuse(RS_REFUSAL_REVOKED, err);
	if (now_ms < person.from_ms || (person.until_ms && now_ms >= person.until_ms))
		return refuse(RS_REFUSAL_OUT_OF_PERIOD, err);
	*out = person;
	return RS_OK;
}

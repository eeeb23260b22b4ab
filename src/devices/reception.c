/* Receptions: opened, closed; the thread that confirms. */
#include "reception.h"

#include <string.h>

struct asking {
	const struct rs_member_key *key;
	struct rs_person *out;
};

static enum rs_code ask_ledger(void *context, struct rs_node *node, struct rs_error *err)
{
	const struct asking *asking = context;
	const struct rs_state state = rs_node_state(node);
	return rs_contract_person(&state, asking->key, asking->out, err);
}

static enum rs_code find_known(void *context, const struct rs_member_key *key, struct rs_person *out,
                               struct rs_error *err)
{
	struct rs_reception *reception = context;
	const struct rs_clock *clock = reception->node->world->clock;
	uint64_t now = clock->monotonic_ns(clock);
	struct known_person *known = NULL;
	for (size_t i = 0; i < KNOWN_PERSONS; i++)
		if (reception->known[i].until_ns && rs_member_key_equal(&reception->known[i].key, key))
			known = &reception->known[i];
	if (!known || known->until_ns < now) {
		if (!known)
			known = &reception->known[reception->known_next++ % KNOWN_PERSONS];
		*known = (struct known_person){.key = *key};
		struct asking asking = {key, &known->person};
		enum rs_code code = rs_intake_run(reception->intake, ask_ledger, &asking, err);
		if (code != RS_OK && code != RS_NOT_FOUND)
			return code;
		known->code = code;
		known->until_ns = now + PERSON_TRUSTED_NS;
	}
	*out = known->person;
	return known->code;
}

enum rs_code rs_reception_knows(struct rs_reception *reception, const struct rs_member_key *key,
                                struct rs_error *err)
{
	struct rs_person person;
	pthread_mutex_lock(&reception->mutex);
	enum rs_code code = find_known(reception, key, &person, err);
	pthread_mutex_unlock(&reception->mutex);
	if (code == RS_NOT_FOUND || (code == RS_OK && person.role != RS_ROLE_DEVICE))
		return rs_error_set(err, RS_NOT_FOUND, "the ledger knows no device of this key");
	return code;
}

enum rs_code reception_judge(struct rs_reception *reception, const struct rs_envelope *envelope,
                             const struct rs_digest *digest, struct rs_str sender, struct verdict *out,
                             struct rs_error *err)
{
	return judge(&reception->devices, envelope, digest, sender, find_known, reception, out, err);
}

enum rs_code reception_judge_key(struct rs_reception *reception, const struct rs_member_key *key,
                                 enum rs_distrust *out, struct rs_error *err)
{
	return judge_key(key, rs_world_now_ms(reception->node->world), find_known, reception, out, err);
}

void reception_say(const struct rs_reception *reception, enum rs_log_level level, const char *event,
                   const struct rs_envelope *envelope, const char *reason)
{
	char key[RS_MEMBER_KEY_TEXT_SIZE] = "", name[RS_DEVICE_NAME_MAX + 1] = "";
	if (envelope) {
		rs_member_key_format(&envelope->signer, key);
		memcpy(name, envelope->device.data, envelope->device.size);
	}
	RS_LOG(reception->log, level, event, {"device", name}, {"key", key}, {"reason", reason});
}

static enum rs_code drop_awaited(struct devices *devices, const struct ticket *ticket, struct rs_error *err)
{
	struct rs_statement *drop = devices_sql(devices, DROP_AWAITED);
	rs_statement_bind_bytes(drop, 1, rs_bytes_of(ticket->seen.instance.bytes, RS_SHA256_SIZE));
	return rs_statement_run(drop, err);
}

static enum rs_code remember(struct devices *devices, const struct ticket *tickets, struct rs_error *err)
{
	RS_TRY(rs_store_begin(devices->store, err));
	for (const struct ticket *ticket = tickets; ticket; ticket = ticket->next) {
		if (ticket->code == RS_OK && ticket->matched.manifest)
			RS_TRY(devices_add_matched(devices, &ticket->matched, err));
		if (ticket->code == RS_OK && ticket->is_listed_since)
			RS_TRY(devices_look_again(devices, &ticket->sop, err));
		if (ticket->code != RS_OK || ticket->seen.outcome == 0)
			continue;
		if (ticket->manifest)
			RS_TRY(devices_add_manifest(devices, ticket->manifest, ticket->message,
			                            &ticket->seen.digest, err));
		else
			RS_TRY(devices_add_seen(devices, &ticket->seen, err));
		if (ticket->is_awaited)
			RS_TRY(drop_awaited(devices, ticket, err));
	}
	return rs_store_commit(devices->store, err);
}

/* One commit for all that came meanwhile. What cannot be remembered is not answered with success: it comes again, and is
 * known then. */
static void confirm(struct rs_reception *reception, struct ticket *tickets)
{
	struct rs_error err = {0};
	pthread_mutex_lock(&reception->mutex);
	enum rs_code code = remember(&reception->devices, tickets, &err);
	if (code != RS_OK)
		rs_store_rollback(reception->devices.store);
	pthread_mutex_unlock(&reception->mutex);
	for (struct ticket *ticket = tickets, *next; ticket; ticket = next) {
		next = ticket->next;
		if (ticket->manifest || ticket->matched.manifest || ticket->is_listed_since)
			matching_wake(reception);
		bool failed = code != RS_OK && ticket->code == RS_OK;
		ticket->done(ticket->context, failed ? code : ticket->code, &ticket->result,
		             failed ? &err : &ticket->error);
		rs_free(ticket);
	}
}

static void *work(void *context)
{
	struct rs_reception *reception = context;
	pthread_mutex_lock(&reception->queue);
	while (!reception->ends || reception->first) {
		struct ticket *tickets = reception->first;
		if (!tickets) {
			pthread_cond_wait(&reception->changed, &reception->queue);
			continue;
		}
		reception->first = NULL;
		reception->last = &reception->first;
		pthread_mutex_unlock(&reception->queue);
		confirm(reception, tickets);
		pthread_mutex_lock(&reception->queue);
	}
	pthread_mutex_unlock(&reception->queue);
	return NULL;
}

static void admitted(void *context, enum rs_code code, const struct rs_admit_result *result,
                     const struct rs_error *err)
{
	struct ticket *ticket = context;
	struct rs_reception *reception = ticket->reception;
	ticket->code = code;
	ticket->result = *result;
	ticket->result.path = ticket->result.receipt_path = "";
	if (code != RS_OK)
		ticket->error = *err;
	else if (ticket->seen.outcome && result->outcome == RS_ADMIT_KNOWN)
		ticket->seen.outcome = RS_ACKNOWLEDGED_KNOWN;
	node_locator(reception->node, LOCATOR_CONTENT, rs_bytes_of(result->sha256.bytes, RS_SHA256_SIZE),
	             &ticket->matched.content);
	reception_remember(reception, ticket);
}

void reception_remember(struct rs_reception *reception, struct ticket *ticket)
{
	pthread_mutex_lock(&reception->queue);
	*reception->last = ticket;
	reception->last = &ticket->next;
	pthread_cond_signal(&reception->changed);
	pthread_mutex_unlock(&reception->queue);
}

void reception_admit(struct rs_reception *reception, struct rs_arrival *arrival, struct ticket *ticket)
{
	ticket->reception = reception;
	rs_arrival_admit(arrival, admitted, ticket);
}

enum rs_code rs_reception_open(struct rs_node *node, struct rs_intake *intake, const struct rs_log *log,
                               struct rs_reception **out, struct rs_error *err)
{
	struct rs_reception *reception = rs_allocate(sizeof *reception);
	if (!reception)
		return rs_error_memory(err, sizeof *reception, "a reception");
	reception->node = node;
	reception->intake = intake;
	reception->log = log;
	reception->last = &reception->first;
	pthread_mutex_init(&reception->mutex, NULL);
	pthread_mutex_init(&reception->queue, NULL);
	pthread_cond_init(&reception->changed, NULL);
	pthread_cond_init(&reception->unmatched, NULL);
	reception->is_unmatched = true; /* what a stop left */
	enum rs_code code = devices_open(node, RS_STORE_WRITE, &reception->devices, err);
	if (code == RS_OK) {
		/* What a crash left half written. */
		code = rs_vault_clean(reception->devices.vault, err);
	}
	if (code == RS_OK) {
		int failed = pthread_create(&reception->thread, NULL, work, reception);
		reception->has_thread = failed == 0;
		if (!failed)
			failed = pthread_create(&reception->matcher, NULL, matching_work, reception);
		reception->has_matcher = failed == 0;
		if (failed)
			code = rs_error_errno(err, failed, "a thread cannot be started");
	}
	if (code != RS_OK) {
		rs_reception_close(reception);
		return code;
	}
	*out = reception;
	return RS_OK;
}

void rs_reception_close(struct rs_reception *reception)
{
	if (!reception)
		return;
	pthread_mutex_lock(&reception->queue);
	reception->ends = true;
	pthread_cond_signal(&reception->changed);
	pthread_cond_signal(&reception->unmatched);
	pthread_mutex_unlock(&reception->queue);
	if (reception->has_thread)
		pthread_join(reception->thread, NULL);
	if (reception->has_matcher)
		pthread_join(reception->matcher, NULL);
	devices_close(&reception->devices);
	pthread_cond_destroy(&reception->changed);
	pthread_cond_destroy(&reception->unmatched);
	pthread_mutex_destroy(&reception->queue);
	pthread_mutex_destroy(&reception->mutex);
	rs_free(reception);
}

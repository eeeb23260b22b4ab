/* Objects: every version with its parents and what was made of it; or the whole of what it was made from and what came of it. */
#include <string.h>

#include "ask.h"

/* An object's registration in audit->other. */
static enum rs_code find(struct asking *asking, const struct rs_digest *object, uint64_t *out_index,
                         struct rs_error *err)
{
	return load_object(asking->audit, object, UINT64_MAX, out_index, err);
}

static struct past_key topic_of(const struct rs_digest *object)
{
	return past_key_of('B', object->bytes, RS_SHA256_SIZE);
}

/* --- Versions --- */

/* Each entry is told once, though it may be about several versions. */
static enum rs_code tell_once(struct asking *asking, uint64_t index, struct rs_error *err)
{
	struct rs_statement *has = asking->audit->statements[HAS_TOLD],
			    *put = asking->audit->statements[PUT_TOLD];
	bool told;
	rs_statement_reset(has);
	rs_statement_bind_i64(has, 1, (int64_t)index);
	RS_TRY(rs_statement_step(has, &told, err));
	rs_statement_reset(has);
	if (told)
		return RS_OK;
	rs_statement_bind_i64(put, 1, (int64_t)index);
	RS_TRY(rs_statement_run(put, err));
	return tell(asking, index, err);
}

static enum rs_code tell_of_version(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                                    struct rs_error *err)
{
	const struct rs_act *act = &asking->audit->current.act;
	RS_TRY(tell_once(asking, index, err));
	RS_TRY(past_load(asking->audit, index, false, &asking->audit->current, err));
	if (act->type == RS_TRANSACTION_OBJECT_REGISTER && act->has_previous &&
	    rs_digest_equal(&act->previous, &asking->object))
		asking->next = act->commitment;
	return RS_OK;
}

static enum rs_code tell_parents(struct asking *asking, struct rs_error *err)
{
	uint8_t parents[RS_PARENTS_MAX * RS_SHA256_SIZE];
	const struct rs_bytes own = asking->audit->other.act.parents;
	size_t size = own.size;
	if (size)
		memcpy(parents, own.data, size);
	asking->relation = RS_AUDIT_PARENT;
	for (size_t i = 0; i < size; i += RS_SHA256_SIZE) {
		struct rs_digest parent;
		uint64_t index;
		memcpy(parent.bytes, parents + i, RS_SHA256_SIZE);
		RS_TRY(find(asking, &parent, &index, err));
		RS_TRY(tell_once(asking, index, err));
	}
	asking->relation = 0;
	return RS_OK;
}

static enum rs_code find_first(struct asking *asking, struct rs_error *err)
{
	uint64_t index;
	asking->object = asking->question->id;
	RS_TRY(find(asking, &asking->object, &index, err));
	while (asking->audit->other.act.has_previous) {
		asking->object = asking->audit->other.act.previous;
		RS_TRY(find(asking, &asking->object, &index, err));
	}
	return RS_OK;
}

enum rs_code about_versions(struct asking *asking, struct rs_error *err)
{
	RS_TRY(rs_store_run(asking->audit->store, "DELETE FROM temp.told", err));
	enum rs_code code = find_first(asking, err);
	while (code == RS_OK) {
		const struct past_key topic = topic_of(&asking->object);
		uint64_t index;
		memset(&asking->next, 0, sizeof asking->next);
		RS_TRY(find(asking, &asking->object, &index, err));
		RS_TRY(tell_parents(asking, err));
		RS_TRY(each_entry(asking, &topic, tell_of_version, err));
		if (past_is_none(&asking->next))
			break;
		asking->object = asking->next;
	}
	return code == RS_NOT_FOUND ? RS_OK : code;
}

/* --- Provenance: breadth first, over a table of what was seen --- */

static enum rs_code seen(struct asking *asking, const struct rs_digest *object, unsigned relation,
                         struct rs_error *err)
{
	struct rs_statement *statement = asking->audit->statements[PUT_SEEN];
	rs_statement_bind_bytes(statement, 1, rs_bytes_of(object->bytes, RS_SHA256_SIZE));
	rs_statement_bind_i64(statement, 2, relation);
	return rs_statement_run(statement, err);
}

static enum rs_code see_child(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                              struct rs_error *err)
{
	const struct rs_act *act = &asking->audit->other.act;
	RS_TRY(past_load(asking->audit, index, false, &asking->audit->other, err));
	if (act->type != RS_TRANSACTION_OBJECT_REGISTER)
		return RS_OK;
	return seen(asking, &act->commitment, RS_AUDIT_DESCENDANT, err);
}

/* What audit->other was made from, and the version before it. */
static enum rs_code see_parents(struct asking *asking, struct rs_error *err)
{
	const struct rs_act *act = &asking->audit->other.act;
	if (act->has_previous)
		RS_TRY(seen(asking, &act->previous, RS_AUDIT_ANCESTOR, err));
	for (size_t i = 0; i < act->parents.size; i += RS_SHA256_SIZE) {
		struct rs_digest parent;
		memcpy(parent.bytes, act->parents.data + i, RS_SHA256_SIZE);
		RS_TRY(seen(asking, &parent, RS_AUDIT_ANCESTOR, err));
	}
	return RS_OK;
}

/* Of an ancestor only what it was made from belongs to the object's past, of a descendant only what came of it. */
static enum rs_code visit_seen(struct asking *asking, const struct rs_digest *object, unsigned relation,
                               struct rs_error *err)
{
	const struct past_key topic = topic_of(object);
	uint64_t index;
	asking->relation = relation;
	RS_TRY(find(asking, object, &index, err));
	if (relation != RS_AUDIT_DESCENDANT)
		RS_TRY(see_parents(asking, err));
	RS_TRY(tell(asking, index, err));
	return relation == RS_AUDIT_ANCESTOR ? RS_OK : each_entry(asking, &topic, see_child, err);
}

static enum rs_code next_seen(struct asking *asking, int64_t place, struct rs_digest *out,
                              unsigned *out_relation, struct rs_error *err)
{
	struct rs_statement *statement = asking->audit->statements[GET_SEEN];
	bool row;
	rs_statement_reset(statement);
	rs_statement_bind_i64(statement, 1, place);
	RS_TRY(rs_statement_step(statement, &row, err));
	if (!row)
		return RS_NOT_FOUND;
	struct rs_bytes object = rs_statement_bytes(statement, 0);
	memcpy(out->bytes, object.data, object.size < RS_SHA256_SIZE ? object.size : RS_SHA256_SIZE);
	*out_relation = (unsigned)rs_statement_i64(statement, 1);
	rs_statement_reset(statement);
	return RS_OK;
}

enum rs_code about_provenance(struct asking *asking, struct rs_error *err)
{
	struct rs_digest object = asking->question->id;
	unsigned relation;
	uint64_t index;
	enum rs_code code = find(asking, &object, &index, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	RS_TRY(rs_store_run(asking->audit->store, "DELETE FROM temp.seen", err));
	RS_TRY(seen(asking, &object, RS_AUDIT_REGISTERS, err));
	for (int64_t place = 1; code == RS_OK; place++) {
		code = next_seen(asking, place, &object, &relation, err);
		if (code == RS_OK)
			code = visit_seen(asking, &object, relation, err);
	}
	return code == RS_NOT_FOUND ? RS_OK : code;
}

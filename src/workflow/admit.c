/* Admitting files: stage → intent → publish → ledger → receipts → complete.
 *
 * Files go through in groups. A group's objects are written under temporary names (stage); one commit of the index
 * then says what is about to be (intent); the objects are synced and get their names (publish); one durable commit
 * of the ledger takes the group's entries; receipts are written; the index marks the group complete. A crash before the
 * ledger's commit leaves nothing behind after node_recover(), a crash after it loses nothing. */
#include <stdlib.h>
#include <string.h>

#include "admit.h"
#include "workflow/workflow_walk.h"

static enum rs_code stage_one(void *context, size_t index, struct rs_error *err)
{
	struct group *group = context;
	return stage_file(group->node, &group->files[index], err);
}

static enum rs_object_kind kind_of(const struct staged *file)
{
	return file->made               ? file->made->kind
	       : file->what.is_features ? RS_OBJECT_FEATURES
	       : file->what.is_mask     ? RS_OBJECT_MASK
	                                : RS_OBJECT_IMAGE;
}

/* What the entry says of all its files at once: files that differ in it are not in one. */
static int by_entry(const struct staged *first, const struct staged *second)
{
	int order = memcmp(first->series.bytes, second->series.bytes, RS_SHA256_SIZE);
	if (order == 0)
		order = memcmp(first->subject.bytes, second->subject.bytes, sizeof first->subject.bytes);
	if (order == 0)
		order = strcmp(first->what.study_instance_uid, second->what.study_instance_uid);
	return order ? order : (int)kind_of(first) - (int)kind_of(second);
}

static int by_series(const void *a, const void *b)
{
	const struct staged *first = *(struct staged *const *)a, *second = *(struct staged *const *)b;
	int order = by_entry(first, second);
	return order ? order : (first->file > second->file) - (first->file < second->file);
}

static int by_content(const void *a, const void *b)
{
	const struct staged *first = *(struct staged *const *)a, *second = *(struct staged *const *)b;
	int order = memcmp(first->content.bytes, second->content.bytes, RS_SHA256_SIZE);
	if (order == 0)
		order = memcmp(first->subject.bytes, second->subject.bytes, sizeof first->subject.bytes);
	return order ? order : (first->file > second->file) - (first->file < second->file);
}

/* The same bytes of one subject twice in one group: the later ones take the first one's receipt. */
static enum rs_code drop_twins(struct group *group, struct rs_error *err)
{
	size_t kept = 0;
	qsort(group->order, group->order_count, sizeof *group->order, by_content);
	for (size_t i = 0; i < group->order_count; i++) {
		struct staged *file = group->order[i], *twin = kept ? group->order[kept - 1] : NULL;
		if (!twin || !rs_digest_equal(&file->content, &twin->content) ||
		    !rs_pseudonym_equal(&file->subject, &twin->subject)) {
			group->order[kept++] = file;
			continue;
		}
		staged_finish(group->node, file);
		file->result.outcome = RS_ADMIT_KNOWN;
		RS_TRY(node_receipt_path(group->node, rs_bytes_of(twin->cid.bytes, sizeof twin->cid.bytes),
		                         &file->receipt_path, err));
		file->result.receipt_path = file->receipt_path;
	}
	group->order_count = kept;
	return RS_OK;
}

static enum rs_code form_leaves(struct group *group, struct rs_error *err)
{
	group->order = rs_allocate_array(group->count, sizeof *group->order);
	group->leaves = rs_allocate_array(group->count, sizeof *group->leaves);
	if (!group->order || !group->leaves)
		return rs_error_memory(err, group->count * sizeof *group->leaves, "a group");
	for (size_t i = 0; i < group->count; i++)
		if (group->files[i].staged)
			group->order[group->order_count++] = &group->files[i];
	RS_TRY(drop_twins(group, err));
	qsort(group->order, group->order_count, sizeof *group->order, by_series);
	for (size_t i = 0; i < group->order_count; i++) {
		struct staged *file = group->order[i], *previous = i ? group->order[i - 1] : NULL;
		if (!previous || by_entry(file, previous) != 0)
			group->leaves[group->leaf_count++].files = &group->order[i];
		group->leaves[group->leaf_count - 1].count++;
	}
	return RS_OK;
}

static void record_of(const struct staged *file, struct rs_record *out)
{
	const struct classified *what = &file->what;
	*out = (struct rs_record){
		.kind = kind_of(file),
		.sha256 = file->content,
		.size = file->size,
		.media = rs_str_from(what->media),
		.cid = rs_bytes_of(file->cid.bytes, sizeof file->cid.bytes),
		.identifiers = {rs_str_from(what->sop_instance_uid), rs_str_from(what->series_instance_uid),
	                        rs_str_from(what->study_instance_uid), rs_str_from(what->sop_class_uid),
	                        rs_str_from(what->transfer_syntax_uid)},
		.source = rs_str_from(file->source),
		.envelope = rs_buffer_bytes(&file->envelope),
	};
}

/* Commits to one instance, and encrypts its record for the index. */
static enum rs_code commit_instance(struct leaf *leaf, size_t instance, const struct rs_world *world,
                                    const struct rs_secret *subject_key, struct rs_digest *out_leaf_hash,
                                    struct rs_error *err)
{
	struct rs_secret record_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	const struct staged *file = leaf->files[instance];
	struct rs_record record;
	struct rs_digest commitment;
	record_of(file, &record);
	rs_buffer_init(&encoded, 8192);
	RS_TRY(rs_record_encode(&record, &encoded, err));
	rs_subject_record_key(subject_key, leaf->record_nonce, (uint32_t)instance, &record_key);
	rs_record_commit(&record_key, rs_buffer_bytes(&encoded), &commitment);
	rs_leaf_hash(rs_bytes_of(commitment.bytes, RS_SHA256_SIZE), out_leaf_hash);
	rs_buffer_init(&leaf->boxes[instance], 16384);
	return rs_box_seal(world, &leaf->index_key, rs_bytes_of(file->content_locator.bytes, LOCATOR_SIZE),
	                   rs_buffer_bytes(&encoded), &leaf->boxes[instance], err);
}

static enum rs_code sign_leaf(const struct group *group, struct leaf *leaf, const struct rs_digest *root,
                              const struct rs_digest *label, struct rs_error *err)
{
	struct rs_act act = {
		.type = RS_TRANSACTION_OBJECT_REGISTER,
		.kind = kind_of(leaf->files[0]),
		.commitment = *root,
		.instances = leaf->count,
		.subject = leaf->subject,
		.study = leaf->study,
		.parents = rs_buffer_bytes(&leaf->files[0]->parents),
		.label = *label,
	};
	const struct rs_made *made = leaf->files[0]->made;
	if (made && made->previous) {
		act.has_previous = true;
		act.previous = *made->previous;
	}
	RS_TRY(node_sign(group->node, group->actor, &act, &leaf->transaction, err));
	memcpy(leaf->id, act.id, sizeof act.id);
	return RS_OK;
}

/* Commitments, instance tree, paths and the signed transaction of one leaf. */
static enum rs_code prepare_leaf(const struct group *group, struct leaf *leaf, struct rs_error *err)
{
	struct rs_node *node = group->node;
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_digest label;
	leaf->hashes = rs_allocate_array(leaf->count, sizeof *leaf->hashes);
	leaf->boxes = rs_allocate_array(leaf->count, sizeof *leaf->boxes);
	if (!leaf->hashes || !leaf->boxes)
		return rs_error_memory(err, leaf->count * sizeof *leaf->hashes, "a series");
	RS_TRY(node_subject_key(node, rs_bytes_of(leaf->files[0]->subject.bytes, 32), false, &subject_key,
	                        err));
	rs_subject_token(&subject_key, &leaf->subject);
	rs_subject_index_key(&subject_key, &leaf->index_key);
	node_commitment(&subject_key, RS_COMMITMENT_STUDY,
	                rs_str_from(leaf->files[0]->what.study_instance_uid), &leaf->study);
	node_commitment(&subject_key, RS_COMMITMENT_PLACE, rs_str_from(group->place), &label);
	RS_TRY(rs_world_random(node->world, leaf->record_nonce, NONCE_SIZE, err));
	for (size_t i = 0; i < leaf->count; i++)
		RS_TRY(commit_instance(leaf, i, node->world, &subject_key, &leaf->hashes[i], err));
	struct rs_leaves leaves = {leaf->hashes, leaf->count};
	struct rs_digest root;
	RS_TRY(rs_tree_root(rs_leaves_read, &leaves, leaf->count, &root, err));
	return sign_leaf(group, leaf, &root, &label, err);
}

/* Each subject once, as far as the ledger does not know it. These entries need no intent: they come with those of the
 * objects or not at all. */
static enum rs_code prepare_subjects(struct group *group, struct rs_error *err)
{
	group->subjects = rs_allocate_array(group->leaf_count, sizeof *group->subjects);
	if (!group->subjects)
		return rs_error_memory(err, group->leaf_count * sizeof *group->subjects, "a group");
	for (size_t i = 0; i < group->leaf_count; i++) {
		const struct rs_digest *subject = &group->leaves[i].subject;
		struct rs_transaction *place = &group->subjects[group->subject_count];
		bool needed = true;
		for (size_t earlier = 0; needed && earlier < i; earlier++)
			needed = !rs_digest_equal(&group->leaves[earlier].subject, subject);
		if (needed)
			RS_TRY(node_subject_entry(group->node, group->actor, subject, place, &needed, err));
		group->subject_count += needed;
	}
	return RS_OK;
}

static enum rs_code intend_instance(struct rs_node *node, const struct leaf *leaf, size_t instance,
                                    int64_t *out_row, struct rs_error *err)
{
	const struct staged *file = leaf->files[instance];
	struct rs_leaves leaves = {leaf->hashes, leaf->count};
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	size_t path_count;
	RS_TRY(rs_tree_inclusion(rs_leaves_read, &leaves, instance, leaf->count, path, &path_count, err));
	bool has_identity = file->what.sop_instance_uid[0] != '\0';
	struct index_row row = {
		.transaction_id = rs_bytes_of(leaf->id, sizeof leaf->id),
		.instance = instance,
		.instances = leaf->count,
		.path = rs_bytes_of(path, path_count * sizeof *path),
		.subject = rs_bytes_of(file->subject.bytes, sizeof file->subject.bytes),
		.record_nonce = rs_bytes_of(leaf->record_nonce, NONCE_SIZE),
		.object_nonce = rs_bytes_of(file->object_nonce, NONCE_SIZE),
		.content_locator = rs_bytes_of(file->content_locator.bytes, LOCATOR_SIZE),
		.identity_locator = rs_bytes_of(file->identity_locator.bytes,
	                                        has_identity ? LOCATOR_SIZE : 0),
		.size = file->size,
		.cid = rs_bytes_of(file->cid.bytes, sizeof file->cid.bytes),
		.box = rs_buffer_bytes(&leaf->boxes[instance]),
	};
	return index_add_row(node->index, &row, out_row, err);
}

/* A series, and what its instances are found by. */
static enum rs_code intend_leaf(struct rs_node *node, const struct leaf *leaf, struct rs_error *err)
{
	struct rs_catalogue_instance said[GROUP_MAX];
	size_t count = 0;
	RS_TRY(index_add_intent(node->index, rs_bytes_of(leaf->id, sizeof leaf->id),
	                        rs_buffer_bytes(&leaf->transaction.entry), err));
	for (size_t instance = 0; instance < leaf->count; instance++) {
		const struct classified *what = &leaf->files[instance]->what;
		said[count].entry = &what->entry;
		RS_TRY(intend_instance(node, leaf, instance, &said[count].record, err));
		count += what->is_dicom;
	}
	const struct rs_pseudonym *subject = &leaf->files[0]->subject;
	return rs_catalogue_add(node->catalogue, rs_bytes_of(subject->bytes, sizeof subject->bytes),
	                        &leaf->index_key, said, count, err);
}

static enum rs_code intend_all(struct group *group, struct rs_error *err)
{
	struct rs_node *node = group->node;
	struct rs_catalogue *catalogue;
	RS_TRY(node_catalogue(node, &catalogue, err));
	RS_TRY(index_begin(node->index, err));
	for (size_t i = 0; i < group->leaf_count; i++)
		RS_TRY(intend_leaf(node, &group->leaves[i], err));
	return index_commit(node->index, err);
}

static enum rs_code intend(struct group *group, struct rs_error *err)
{
	enum rs_code code = intend_all(group, err);
	if (code != RS_OK)
		index_rollback(group->node->index);
	return code;
}

/* The intent, the objects' content and what else there is become durable at once: none of them needs another. Item 0 is the
 * intent, item 1 what else there is. */
static enum rs_code make_durable(void *context, size_t index, struct rs_error *err)
{
	struct group *group = context;
	if (index == 0)
		return intend(group, err);
	if (index == 1)
		return group->beside ? group->beside(group->beside_context, err) : RS_OK;
	return rs_vault_sync(group->order[index - 2]->object, err);
}

static enum rs_code publish(struct group *group, struct rs_error *err)
{
	struct rs_vault_staged **objects RS_CLEANUP(rs_free_pointer) = rs_allocate_array(
		group->order_count, sizeof(struct rs_vault_staged *));
	if (!objects)
		return rs_error_memory(err, group->order_count * sizeof *objects, "a group");
	RS_TRY(rs_pool_for(group->node->pool, 2 + group->order_count, make_durable, group, err));
	for (size_t i = 0; i < group->order_count; i++) {
		objects[i] = group->order[i]->object;
		group->order[i]->staged = false;
	}
	return rs_vault_publish(group->node->vault, group->node->pool, objects, group->order_count, err);
}

/* Subjects first. Should one be refused, so are its objects, each with its reason; but for a subject that another sealing
 * registered meanwhile, whose objects are admitted. */
static enum rs_code append(struct group *group, struct rs_error *err)
{
	size_t before = group->subject_count, count = before + group->leaf_count;
	struct rs_transaction *transactions RS_CLEANUP(rs_free_pointer) = rs_allocate_array(
		count, sizeof *transactions);
	struct rs_append_result *results RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count,
	                                                                                 sizeof *results);
	if (!transactions || !results)
		return rs_error_memory(err, count * sizeof *transactions, "a group");
	for (size_t i = 0; i < count; i++)
		transactions[i] = i < before ? group->subjects[i] : group->leaves[i - before].transaction;
	RS_TRY(rs_ledger_append(group->node->ledger, transactions, count, results, err));
	node_promises_keep(group->node, false);
	for (size_t i = before; i < count; i++)
		group->leaves[i - before].result = results[i];
	return RS_OK;
}

static enum rs_code refuse(struct group *group, struct leaf *leaf, struct rs_error *err)
{
	for (size_t i = 0; i < leaf->count; i++) {
		struct staged *file = leaf->files[i];
		file->result.outcome = RS_ADMIT_FAILED;
		rs_error_set(&file->result.error, RS_REFUSED, "%s: %s: %s", file->file->path,
		             rs_refusal_name(leaf->result.refusal), rs_refusal_text(leaf->result.refusal));
		RS_TRY(rs_vault_remove(group->node->vault, &file->cid, err));
	}
	return index_take_back(group->node->index, rs_bytes_of(leaf->id, sizeof leaf->id), err);
}

static enum rs_code tell_receipts(struct rs_node *node, struct leaf *leaf, struct rs_error *err)
{
	for (size_t instance = 0; instance < leaf->count; instance++) {
		struct staged *file = leaf->files[instance];
		RS_TRY(node_receipt_path(node, rs_bytes_of(file->cid.bytes, sizeof file->cid.bytes),
		                         &file->receipt_path, err));
		file->result.receipt_path = file->receipt_path;
	}
	return RS_OK;
}

/* What the contract refused is taken back. */
static enum rs_code tell_all(struct group *group, struct rs_error *err)
{
	for (size_t i = 0; i < group->leaf_count; i++) {
		struct leaf *leaf = &group->leaves[i];
		RS_TRY(leaf->result.refusal == RS_REFUSAL_NONE ? tell_receipts(group->node, leaf, err)
		                                               : refuse(group, leaf, err));
	}
	return RS_OK;
}

static enum rs_code complete_all(struct rs_node *node, const struct node_placed *placed, size_t count,
                                 struct rs_error *err)
{
	RS_TRY(index_begin(node->index, err));
	for (size_t i = 0; i < count; i++)
		RS_TRY(index_complete(node->index, placed[i].transaction_id, placed[i].entry, err));
	return index_commit(node->index, err);
}

/* Receipts at the present checkpoint, which proves every entry before it. They are written before the index marks
 * their groups complete: a crash in between leaves the intent, and recovery writes them again. */
enum rs_code group_settle(struct rs_node *node, const struct node_placed *placed, size_t count,
                          struct rs_error *err)
{
	RS_TRY(node_write_receipts(node, placed, count, err));
	return complete_all(node, placed, count, err);
}

void group_give_up(struct rs_node *node)
{
	index_rollback(node->index);
	node->unfinished = true;
	(void)node_recover(node, NULL);
}

/* Subjects' keys may be made by other threads meanwhile. */
static enum rs_code prepare(struct group *group, struct rs_error *err)
{
	enum rs_code code = RS_OK;
	pthread_mutex_lock(&group->node->mutex);
	for (size_t i = 0; code == RS_OK && i < group->leaf_count; i++)
		code = prepare_leaf(group, &group->leaves[i], err);
	if (code == RS_OK)
		code = prepare_subjects(group, err);
	pthread_mutex_unlock(&group->node->mutex);
	return code;
}

enum rs_code group_to_ledger(struct group *group, struct rs_error *err)
{
	RS_TRY(form_leaves(group, err));
	if (group->leaf_count == 0)
		return RS_OK;
	RS_TRY(prepare(group, err));
	enum rs_code code = publish(group, err);
	if (code == RS_OK)
		code = append(group, err);
	if (code == RS_OK)
		code = tell_all(group, err);
	if (code != RS_OK)
		group_give_up(group->node);
	return code;
}

/* From intent to receipts. */
static enum rs_code commit_group(struct group *group, struct rs_error *err)
{
	struct rs_node *node = group->node;
	size_t count = 0;
	RS_TRY(group_to_ledger(group, err));
	struct node_placed *placed RS_CLEANUP(rs_free_pointer) = rs_allocate_array(group->leaf_count,
	                                                                           sizeof *placed);
	if (!placed) {
		group_give_up(node);
		return rs_error_memory(err, group->leaf_count * sizeof *placed, "a group");
	}
	for (size_t i = 0; i < group->leaf_count; i++) {
		const struct leaf *leaf = &group->leaves[i];
		if (leaf->result.refusal == RS_REFUSAL_NONE)
			placed[count++] = (struct node_placed){rs_bytes_of(leaf->id, sizeof leaf->id),
			                                       leaf->result.index};
	}
	enum rs_code code = group_settle(node, placed, count, err);
	if (code != RS_OK)
		group_give_up(node);
	return code;
}

void group_finish(struct group *group)
{
	for (size_t i = 0; i < group->leaf_count; i++) {
		struct leaf *leaf = &group->leaves[i];
		rs_transaction_finish(&leaf->transaction);
		rs_secret_finish(&leaf->index_key);
		rs_free(leaf->hashes);
		for (size_t instance = 0; leaf->boxes && instance < leaf->count; instance++)
			rs_buffer_finish(&leaf->boxes[instance]);
		rs_free(leaf->boxes);
	}
	for (size_t i = 0; i < group->subject_count; i++)
		rs_transaction_finish(&group->subjects[i]);
	for (size_t i = 0; i < group->count; i++)
		staged_finish(group->node, &group->files[i]);
	rs_free(group->subjects);
	rs_free(group->files);
	rs_free(group->order);
	rs_free(group->leaves);
}

static void report_group(const struct group *group, const struct rs_admit_options *options,
                         struct rs_error *first)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct rs_admit_result *result = &group->files[i].result;
		if (result->outcome == RS_ADMIT_FAILED && first->code == RS_OK)
			*first = result->error;
		if (options->report)
			options->report(options->context, result);
	}
}

/* The keys of new subjects are durable before anything of theirs gets a name. */
static enum rs_code stage_group(struct group *group, struct rs_error *err)
{
	struct rs_subject_keys *subjects = group->node->subjects;
	RS_TRY(rs_subject_keys_begin(subjects, err));
	enum rs_code code = rs_pool_for(group->node->pool, group->count, stage_one, group, err);
	if (code == RS_OK)
		code = rs_subject_keys_commit(subjects, err);
	if (code != RS_OK)
		rs_subject_keys_rollback(subjects);
	return code;
}

/* made: of each file; NULL: they are read. */
static enum rs_code admit_group(struct rs_node *node, const struct walked_file *files,
                                const struct rs_made *made, size_t count,
                                const struct rs_admit_options *options, struct rs_error *first,
                                struct rs_error *err)
{
	struct group group RS_CLEANUP(group_finish) = {
		.node = node, .actor = options->actor, .place = options->place, .count = count};
	group.files = rs_allocate_array(count, sizeof *group.files);
	if (!group.files) {
		group.count = 0;
		return rs_error_memory(err, count * sizeof *group.files, "a group");
	}
	for (size_t i = 0; i < count; i++) {
		group.files[i].file = &files[i];
		group.files[i].made = made ? &made[i] : NULL;
		group.files[i].options = options;
	}
	/* Else the index would answer for files of a group that never got there. */
	RS_TRY(node_hold(node, err));
	RS_TRY(stage_group(&group, err));
	RS_TRY(commit_group(&group, err));
	report_group(&group, options, first);
	return RS_OK;
}

static enum rs_code admit_all(struct rs_node *node, const struct walked_file *files,
                              const struct rs_made *made, size_t all, const struct rs_admit_options *options,
                              struct rs_error *err)
{
	struct rs_actor *administrator RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_admit_options whole = *options;
	struct rs_error first = {.code = RS_OK};
	if (!options->actor)
		RS_TRY(rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &administrator, err));
	if (!options->actor)
		whole.actor = administrator;
	for (size_t start = 0; start < all; start += GROUP_MAX) {
		size_t count = all - start < GROUP_MAX ? all - start : GROUP_MAX;
		RS_TRY(admit_group(node, files + start, made ? made + start : NULL, count, &whole, &first,
		                   err));
		if (options->progress)
			options->progress(options->context, start + count, all);
		if (node_is_wanted(node))
			rs_node_rest(node);
	}
	if (first.code != RS_OK && err)
		*err = first;
	return first.code;
}

enum rs_code rs_node_admit(struct rs_node *node, char *const *paths, size_t path_count,
                           const struct rs_admit_options *options, struct rs_error *err)
{
	struct walk walk RS_CLEANUP(walk_finish) = {0};
	for (size_t i = 0; i < path_count; i++)
		RS_TRY(walk_add(node->world, paths[i], &walk, err));
	return admit_all(node, walk.files, NULL, walk.count, options, err);
}

enum rs_code rs_node_admit_made(struct rs_node *node, const struct rs_made *made, size_t count,
                                const struct rs_admit_options *options, struct rs_error *err)
{
	struct walked_file *files RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *files);
	if (!files)
		return rs_error_memory(err, count * sizeof *files, "what is sealed");
	for (size_t i = 0; i < count; i++)
		files[i] = (struct walked_file){made[i].name, true};
	return admit_all(node, files, made, count, options, err);
}

/* Content on its way out, compared with the ledger while it leaves. Hashing takes longer than decrypting and about as long as
 * sending, so another thread does it, and looks at the receipt, too: with a processor to spare nobody waits for it. What the
 * comparison protects is the end of the content: that leaves when all of it was found to be what was sealed, not before, and
 * without it the rest is of no use. */
#include <pthread.h>

#include "access/access_open.h"

#define ALONE_MAX ((size_t)128 * 1024) /* hashed here: a thread would take longer */
#define END_SIZE ((size_t)4096)

struct comparing {
	const struct rs_node *node;
	const struct rs_opened *opened;
	rs_vault_take *take;
	void (*leave)(void *context); /* may be NULL */
	void *context;
	uint64_t size;
	pthread_t thread;
	bool is_aside;
	struct rs_sha256 hash; /* the thread's, if there is one, as is what the receipt was found to be */
	enum rs_code code;
	struct rs_error err;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	struct rs_bytes piece; /* the thread's as long as it is not empty */
	bool is_over;
};

static enum rs_code check(const struct rs_node *node, const struct rs_opened *opened, struct rs_error *err)
{
	struct rs_trust trust = {.quorum = 0};
	struct rs_receipt_facts facts;
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &trust.log, err));
	RS_TRY(rs_receipt_match_trusted(rs_buffer_str(&opened->receipt), &trust, &opened->record.sha256,
	                                opened->record.size, &facts, err));
	if (!rs_bytes_equal(opened->record.cid, rs_bytes_of(opened->cid.bytes, sizeof opened->cid.bytes)))
		return rs_error_set(err, RS_ALTERED, "its record names another address");
	return RS_OK;
}

static void *hash_aside(void *context)
{
	struct comparing *comparing = context;
	comparing->code = check(comparing->node, comparing->opened, &comparing->err);
	pthread_mutex_lock(&comparing->mutex);
	for (;;) {
		while (comparing->piece.size == 0 && !comparing->is_over)
			pthread_cond_wait(&comparing->changed, &comparing->mutex);
		struct rs_bytes piece = comparing->piece;
		if (piece.size == 0)
			break;
		pthread_mutex_unlock(&comparing->mutex);
		rs_sha256_update(&comparing->hash, piece.data, piece.size);
		pthread_mutex_lock(&comparing->mutex);
		comparing->piece = rs_bytes_of("", 0);
		pthread_cond_signal(&comparing->changed);
	}
	pthread_mutex_unlock(&comparing->mutex);
	return NULL;
}

/* When the piece before was hashed. */
static void hash(struct comparing *comparing, struct rs_bytes piece)
{
	if (!comparing->is_aside) {
		rs_sha256_update(&comparing->hash, piece.data, piece.size);
		return;
	}
	pthread_mutex_lock(&comparing->mutex);
	while (comparing->piece.size > 0)
		pthread_cond_wait(&comparing->changed, &comparing->mutex);
	comparing->piece = piece;
	pthread_cond_signal(&comparing->changed);
	pthread_mutex_unlock(&comparing->mutex);
}

/* What was given to it is hashed: nobody looks at the pieces any more. */
static void end_thread(struct comparing *comparing)
{
	if (!comparing->is_aside)
		return;
	pthread_mutex_lock(&comparing->mutex);
	comparing->is_over = true;
	pthread_cond_signal(&comparing->changed);
	pthread_mutex_unlock(&comparing->mutex);
	pthread_join(comparing->thread, NULL);
	comparing->is_aside = false;
}

/* Both of them, whatever came of it. */
static void leave_pieces(void *context)
{
	struct comparing *comparing = context;
	end_thread(comparing);
	if (comparing->leave)
		comparing->leave(comparing->context);
}

static enum rs_code judge(struct comparing *comparing, struct rs_error *err)
{
	struct rs_digest found;
	end_thread(comparing);
	if (comparing->code != RS_OK) {
		if (err)
			*err = comparing->err;
		return comparing->code;
	}
	rs_sha256_final(&comparing->hash, &found);
	return rs_digest_equal(&found, &comparing->opened->record.sha256)
	               ? RS_OK
	               : rs_error_set(err, RS_ALTERED, "it is not what was sealed");
}

/* The piece after this one lies elsewhere, see rs_vault_read_unaddressed(). */
static enum rs_code compare_piece(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct comparing *comparing = context;
	uint64_t sealed = comparing->opened->record.size;
	comparing->size += piece.size;
	if (comparing->size > sealed)
		return rs_error_set(err, RS_ALTERED, "it is longer than what was sealed");
	hash(comparing, piece);
	if (comparing->size < sealed)
		return comparing->take(comparing->context, piece, err);
	size_t end = piece.size < END_SIZE ? piece.size : END_SIZE, start = piece.size - end;
	if (start > 0)
		RS_TRY(comparing->take(comparing->context, rs_bytes_of(piece.data, start), err));
	RS_TRY(judge(comparing, err));
	return comparing->take(comparing->context, rs_bytes_of(piece.data + start, end), err);
}

/* Without a thread everything is done in this one. */
static void begin(struct comparing *comparing)
{
	rs_sha256_init(&comparing->hash);
	comparing->is_aside = comparing->opened->record.size > ALONE_MAX &&
	                      pthread_create(&comparing->thread, NULL, hash_aside, comparing) == 0;
	if (!comparing->is_aside)
		comparing->code = check(comparing->node, comparing->opened, &comparing->err);
}

enum rs_code rs_opened_read(const struct rs_node *node, const struct rs_opened *opened, rs_vault_take *take,
                            void (*leave)(void *context), void *context, struct rs_error *err)
{
	struct comparing comparing = {.node = node,
	                              .opened = opened,
	                              .take = take,
	                              .leave = leave,
	                              .context = context,
	                              .mutex = PTHREAD_MUTEX_INITIALIZER,
	                              .changed = PTHREAD_COND_INITIALIZER};
	begin(&comparing);
	enum rs_code code = rs_vault_read_unaddressed(node->vault, &opened->cid, &opened->object_key,
	                                              compare_piece, leave_pieces, &comparing, err);
	if (code == RS_OK && comparing.size != opened->record.size)
		code = rs_error_set(err, RS_ALTERED, "it is shorter than what was sealed");
	pthread_cond_destroy(&comparing.changed);
	pthread_mutex_destroy(&comparing.mutex);
	return code;
}

/* Reads what is stored before somebody needs it: bits rot, and a copy that is known to be bad can be replaced while there
 * are good ones. By the address alone; what an object holds is fsck's matter. Also the state of the vault. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "copies.h"
#include "node/node_memo.h"

#define NS_PER_S UINT64_C(1000000000)
#define REMEDY "; bring it back from a backup (radseal restore) or from its copy (radseal vault fetch)"

struct scrubbing {
	struct rs_node *node;
	const struct rs_scrub_options *options;
	struct memo *memo;
	uint64_t now_ms, begun_ns, read;
	struct rs_vault_counts counts;
};

/* Keeps to the rate from the beginning of the scrub on. */
static enum rs_code keep_pace(void *context, uint64_t bytes, struct rs_error *err)
{
	struct scrubbing *scrubbing = context;
	const struct rs_clock *clock = scrubbing->node->world->clock;
	const struct rs_scrub_options *options = scrubbing->options;
	scrubbing->read += bytes;
	uint64_t spent = clock->monotonic_ns(clock) - scrubbing->begun_ns, due = 0;
	if (options->rate)
		due = scrubbing->read / options->rate * NS_PER_S +
		      scrubbing->read % options->rate * NS_PER_S / options->rate;
	return options->pause(options->context, due > spent ? due - spent : 0, err);
}

static void fault(struct scrubbing *scrubbing, const char *what, const char *name, const char *sentence)
{
	char *text RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s" REMEDY, sentence);
	scrubbing->counts.faults++;
	scrubbing->options->report(scrubbing->options->context, what, name, text ? text : sentence);
}

static enum rs_code check_one(struct scrubbing *scrubbing, const struct rs_cid *cid, struct rs_error *err)
{
	struct rs_object_facts facts;
	struct rs_error reason = {0};
	char text[RS_CID_TEXT_SIZE];
	uint64_t size = 0;
	enum rs_code code = rs_vault_check_paced(scrubbing->node->vault, cid, NULL, keep_pace, scrubbing,
	                                         &facts, &reason);
	if (code == RS_NOT_FOUND)
		return RS_OK; /* removed meanwhile; if it should be there, its record tells later */
	/* The disk's own error is rot as well. */
	bool rotten = code == RS_ALTERED || code == RS_IO;
	if (code != RS_OK && !rotten) {
		if (err)
			*err = reason;
		return code;
	}
	rs_cid_format(cid, text);
	if (rotten)
		fault(scrubbing, "rot", text, reason.message);
	(void)rs_vault_size(scrubbing->node->vault, cid, &size, NULL);
	scrubbing->counts.done++;
	scrubbing->counts.bytes += size;
	return memo_add_check(scrubbing->memo, cid, scrubbing->now_ms, !rotten, err);
}

static enum rs_code scrub_object(void *context, const struct rs_cid *cid, struct rs_str name RS_UNUSED,
                                 struct rs_error *err)
{
	struct scrubbing *scrubbing = context;
	uint64_t at_ms;
	if (!cid)
		return RS_OK;
	scrubbing->counts.looked++;
	RS_TRY(memo_find_check(scrubbing->memo, cid, &at_ms, err));
	if (at_ms != 0 && at_ms <= scrubbing->now_ms &&
	    scrubbing->now_ms - at_ms < scrubbing->options->max_age_ms)
		return RS_OK;
	return check_one(scrubbing, cid, err);
}

static enum rs_code find_missing(void *context, const struct index_row *row, struct rs_error *err RS_UNUSED)
{
	struct scrubbing *scrubbing = context;
	char text[RS_CID_TEXT_SIZE];
	struct rs_cid cid;
	if (row->entry < 0 || !rs_cid_from_bytes(row->cid, &cid) ||
	    rs_vault_has(scrubbing->node->vault, &cid))
		return RS_OK;
	rs_cid_format(&cid, text);
	fault(scrubbing, "missing", text, "the object of a record is not there");
	return RS_OK;
}

enum rs_code rs_node_vault_scrub(struct rs_node *node, const struct rs_scrub_options *options,
                                 struct rs_vault_counts *out, struct rs_error *err)
{
	const struct rs_clock *clock = node->world->clock;
	struct memo *memo RS_CLEANUP(memo_close_pointer) = NULL;
	RS_TRY(memo_open(node, &memo, err));
	struct scrubbing scrubbing = {.node = node,
	                              .options = options,
	                              .memo = memo,
	                              .now_ms = rs_world_now_ms(node->world),
	                              .begun_ns = clock->monotonic_ns(clock)};
	enum rs_code code = rs_vault_list(node->vault, scrub_object, &scrubbing, err);
	*out = scrubbing.counts;
	/* What was checked before an interruption is not checked again. */
	enum rs_code flushed = memo_flush(memo, code == RS_OK ? err : NULL);
	RS_TRY(code);
	RS_TRY(flushed);
	RS_TRY(index_each_row(node->index, find_missing, &scrubbing, err));
	*out = scrubbing.counts;
	if (out->faults)
		return rs_error_set(err, RS_ALTERED, "%" PRIu64 " objects are rotten or missing",
		                    out->faults);
	return RS_OK;
}

static enum rs_code count_object(void *context, const struct rs_cid *cid, struct rs_str name RS_UNUSED,
                                 struct rs_error *err RS_UNUSED)
{
	uint64_t *objects = context;
	*objects += cid != NULL;
	return RS_OK;
}

static enum rs_code ask_ipfs(struct rs_node *node, struct rs_vault_status *out, struct rs_error *err)
{
	struct rs_blobs *ipfs RS_CLEANUP(rs_blobs_close_pointer) = NULL;
	out->ipfs = node->config.vault_ipfs;
	if (!out->ipfs)
		return RS_OK;
	snprintf(out->ipfs_url, sizeof out->ipfs_url, "%s", node->config.vault_url);
	RS_TRY(copies_open(node, &ipfs, err));
	if (rs_blobs_ipfs_version(ipfs, out->ipfs_version, NULL) != RS_OK)
		out->ipfs_version[0] = '\0';
	return RS_OK;
}

enum rs_code rs_node_vault_status(struct rs_node *node, struct rs_vault_status *out, struct rs_error *err)
{
	struct memo *memo RS_CLEANUP(memo_close_pointer) = NULL;
	const struct rs_files *files = node->world->files;
	struct memo_summary summary;
	struct rs_vault_status status = {.quota = node->config.vault_quota,
	                                 .reserve = node->config.vault_reserve,
	                                 .free_bytes = UINT64_MAX};
	RS_TRY(memo_open(node, &memo, err));
	RS_TRY(memo_summarise(memo, &summary, err));
	RS_TRY(rs_vault_list(node->vault, count_object, &status.objects, err));
	RS_TRY(index_stored_size(node->index, &status.bytes, err));
	if (files->free_space)
		RS_TRY(files->free_space(files, node->directory, &status.free_bytes, err));
	status.checked = summary.checked;
	status.faulty = summary.faulty;
	status.oldest_check_ms = summary.oldest_ms;
	status.copied = summary.copied;
	RS_TRY(ask_ipfs(node, &status, err));
	*out = status;
	return RS_OK;
}

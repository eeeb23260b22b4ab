/* From the vault into PDUs. */
#include "taking.h"

#include <string.h>

#include "access/access_open.h"

#define KEPT_MAX ((size_t)4 << 20)      /* larger instances are not kept */
#define DECODED_MAX ((size_t)512 << 20) /* of an instance that is decoded, and of what becomes of it */
#define DECODING_MAX 2                  /* at once */

void retrieving_service_init(struct retrieving_service *service)
{
	hands_init(&service->hands, RETRIEVALS_MAX);
	pthread_mutex_init(&service->decoding_mutex, NULL);
	pthread_cond_init(&service->decoding_done, NULL);
}

void retrieving_service_finish(struct retrieving_service *service)
{
	rs_finder_destroy(service->finder);
	hands_finish(&service->hands);
	pthread_cond_destroy(&service->decoding_done);
	pthread_mutex_destroy(&service->decoding_mutex);
}

void taking_finish(struct taking *taking)
{
	for (size_t i = 0; i < RS_COUNT(taking->kept); i++)
		rs_buffer_finish(&taking->kept[i].file);
}

struct opening {
	const struct picked *picked;
	struct rs_opened *opened;
};

static enum rs_code open_object(void *context, struct rs_node *node, struct rs_error *err)
{
	const struct opening *opening = context;
	return rs_opened_init(node, &opening->picked->cid, opening->opened, err);
}

/* The content to `take`, compared with the ledger: the last piece comes when all of it is as it was sealed. */
static enum rs_code read_object(struct retrieving_service *service, const struct picked *picked,
                                rs_vault_take *take, void *context, struct rs_error *err)
{
	struct rs_opened opened RS_CLEANUP(rs_opened_finish) = {.object_key = {{0}}};
	struct opening opening = {picked, &opened};
	RS_TRY(rs_intake_run(service->intake, open_object, &opening, err));
	if (opened.record.size != picked->size)
		return rs_error_set(err, RS_ALTERED, "its record names another size");
	return rs_opened_read(service->node, &opened, take, NULL, context, err);
}

static enum rs_code append(void *context, struct rs_bytes piece, struct rs_error *err)
{
	rs_buffer_append_bytes(context, piece);
	return rs_buffer_check(context, "an instance", err);
}

static enum rs_code load(struct retrieving_service *service, const struct picked *picked, size_t maximum,
                         struct rs_buffer *out, struct rs_error *err)
{
	rs_buffer_finish(out);
	rs_buffer_init(out, maximum);
	if (picked->size > maximum)
		return rs_error_set(err, RS_TOO_LARGE, "an instance of more than %zu bytes is not converted",
		                    maximum);
	if (rs_buffer_reserve(out, (size_t)picked->size) != RS_OK)
		return rs_error_memory(err, (size_t)picked->size, "an instance");
	return read_object(service, picked, append, out, err);
}

static void read_ahead(struct taking *taking, const struct picked *picked)
{
	struct kept *kept = &taking->kept[taking->next];
	kept->row = picked->row;
	kept->error = (struct rs_error){.code = RS_OK};
	kept->code = load(taking->service, picked, KEPT_MAX, &kept->file, &kept->error);
}

/* The one that was read ahead, or that is read now; what is read ahead next goes to the other place. */
static struct kept *keep(struct taking *taking, const struct picked *picked)
{
	struct kept *kept = &taking->kept[taking->next];
	if (kept->row != picked->row)
		read_ahead(taking, picked);
	taking->next = 1 - taking->next;
	return kept;
}

/* One instance on its way. */
struct giving {
	struct taking *taking;
	const struct link *link;
	const struct picked *picked;
	const struct rs_context *context;
	struct pdus pdus;
	bool has_begun, is_over; /* the request was made; the association is over */
};

static enum rs_code request(struct giving *giving, uint64_t size, struct rs_error *err)
{
	const struct taking *taking = giving->taking;
	giving->has_begun = giving->is_over = true;
	RS_TRY(storing_request(giving->link, giving->context, giving->picked->instance, taking->originator,
	                       taking->originator_message, err));
	RS_TRY(pdus_begin(giving->link, giving->context->id, size, &giving->pdus, err));
	giving->is_over = false;
	return RS_OK;
}

static enum rs_code put(struct giving *giving, struct rs_bytes bytes, struct rs_error *err)
{
	giving->is_over = true;
	RS_TRY(pdus_put(&giving->pdus, bytes, err));
	giving->is_over = false;
	return RS_OK;
}

static enum rs_code begin_of(struct rs_bytes start, size_t *out, struct rs_error *err)
{
	struct rs_dicom front RS_CLEANUP(rs_dicom_finish) = {0};
	return rs_dicom_parse_front(start, &front, out, err);
}

static enum rs_code give_piece(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct giving *giving = context;
	size_t begin = 0;
	if (!giving->has_begun) {
		RS_TRY(begin_of(piece, &begin, err));
		RS_TRY(request(giving, giving->picked->size - begin, err));
	}
	return put(giving, rs_bytes_of(piece.data + begin, piece.size - begin), err);
}

static enum rs_code give_data(struct giving *giving, struct rs_bytes data, struct rs_error *err)
{
	RS_TRY(request(giving, data.size, err));
	return put(giving, data, err);
}

static enum rs_code kept_file(struct giving *giving, struct rs_bytes *out, struct rs_error *err)
{
	const struct kept *kept = keep(giving->taking, giving->picked);
	*out = rs_buffer_bytes(&kept->file);
	return kept->code == RS_OK ? RS_OK : rs_error_set(err, kept->code, "%s", kept->error.message);
}

static enum rs_code give_kept(struct giving *giving, struct rs_error *err)
{
	struct rs_bytes file;
	size_t begin;
	RS_TRY(kept_file(giving, &file, err));
	RS_TRY(begin_of(file, &begin, err));
	return give_data(giving, rs_bytes_of(file.data + begin, file.size - begin), err);
}

static void begin_decoding(struct retrieving_service *service)
{
	pthread_mutex_lock(&service->decoding_mutex);
	while (service->decoding >= DECODING_MAX)
		pthread_cond_wait(&service->decoding_done, &service->decoding_mutex);
	service->decoding++;
	pthread_mutex_unlock(&service->decoding_mutex);
}

static void end_decoding(struct retrieving_service *service)
{
	pthread_mutex_lock(&service->decoding_mutex);
	service->decoding--;
	pthread_cond_signal(&service->decoding_done);
	pthread_mutex_unlock(&service->decoding_mutex);
}

static enum rs_code transcode(struct giving *giving, const char *as, struct rs_buffer *copy,
                              struct rs_bytes *out_data, struct rs_error *err)
{
	struct rs_buffer large RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes file;
	struct rs_error reason = {0};
	if (giving->picked->size <= KEPT_MAX) {
		RS_TRY(kept_file(giving, &file, err));
	} else {
		RS_TRY(load(giving->taking->service, giving->picked, DECODED_MAX, &large, err));
		file = rs_buffer_bytes(&large);
	}
	if (storing_transcode(file, as, DECODED_MAX, copy, out_data, &reason) == RS_OK)
		return RS_OK;
	return rs_error_set(err, reason.code, "it cannot be converted from transfer syntax %s to %s: %s",
	                    giving->picked->syntax, as, reason.message);
}

/* The copy is there before the others' turn comes; sending it takes as long as the peer likes. */
static enum rs_code give_copy(struct giving *giving, const char *as, struct rs_error *err)
{
	struct rs_buffer copy RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes data;
	begin_decoding(giving->taking->service);
	enum rs_code code = transcode(giving, as, &copy, &data, err);
	end_decoding(giving->taking->service);
	return code == RS_OK ? give_data(giving, data, err) : code;
}

static enum rs_code give(struct giving *giving, struct rs_error *err)
{
	const struct picked *picked = giving->picked;
	const char *as;
	giving->context = storing_context(giving->link, picked->sop_class, picked->syntax, &as);
	if (!giving->context)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the peer does not take SOP class %s in transfer syntax %s%s",
		                    picked->sop_class, picked->syntax,
		                    picked->syntax[0] ? "" : " unknown, nor uncompressed");
	if (as)
		return give_copy(giving, as, err);
	return picked->size <= KEPT_MAX
	               ? give_kept(giving, err)
	               : read_object(giving->taking->service, picked, give_piece, giving, err);
}

enum rs_code taking_send(struct taking *taking, const struct link *link, const struct picked *picked,
                         const struct picked *then, uint16_t *out_status, struct rs_error *out_reason,
                         struct rs_error *err)
{
	struct giving giving = {.taking = taking, .link = link, .picked = picked};
	struct rs_command response;
	*out_reason = (struct rs_error){.code = RS_OK};
	enum rs_code code = give(&giving, out_reason);
	if (code != RS_OK && !giving.has_begun)
		return RS_OK;
	if (code != RS_OK) {
		if (!giving.is_over)
			link_break(link);
		return rs_error_set(err, code, "%s", out_reason->message);
	}
	if (then && then->size <= KEPT_MAX)
		read_ahead(taking, then);
	RS_TRY(link->response(link->context, &response, err));
	*out_status = response.status;
	return RS_OK;
}

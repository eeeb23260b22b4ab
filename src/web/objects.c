/* Choosing objects, and reading them. */
#include "objects.h"

#include "server.h"

#define TAG_INSTANCE RS_DICOM_TAG(0x0008, 0x0018)
#define TAG_STUDY RS_DICOM_TAG(0x0020, 0x000D)
#define TAG_SERIES RS_DICOM_TAG(0x0020, 0x000E)
#define HEADER_MAX ((size_t)64 << 20)

/* Stored bytes only. */
static void expect_first(void *context, struct rs_node *node)
{
	const struct picked_list *list = context;
	if (list->count > 0)
		rs_vault_expect(node->vault, &list->items[0].cid);
}

enum rs_code picked_of_request(struct request *request, const struct picked_ahead *ahead,
                               struct picked_list *out, struct rs_error *err)
{
	const struct picked_ahead expecting = {expect_first, out};
	static const uint32_t tags[] = {TAG_STUDY, TAG_SERIES, TAG_INSTANCE};
	struct rs_catalogue_key keys[RS_COUNT(tags)];
	struct rs_find find = {.actor = request->caller.actor,
	                       .purpose = request->purpose,
	                       .query = {.level = RS_LEVEL_IMAGE, .keys = keys}};
	for (size_t i = 0; i < RS_COUNT(tags) && request->values[i].size > 0; i++)
		keys[find.query.key_count++] = (struct rs_catalogue_key){tags[i], request->values[i]};
	RS_TRY(pick_instances(web_intake(request->web), web_finder(request->web, FINDER_OF_RETRIEVALS), &find,
	                      ahead ? ahead : &expecting, out, err));
	if (out->count == 0)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "there is nothing of this name that the caller may see");
	return RS_OK;
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

enum rs_code object_read(struct rs_web *web, const struct picked *picked, const struct rs_opened *opened,
                         rs_vault_take *take, void (*leave)(void *context), void *context,
                         struct rs_error *err)
{
	struct rs_opened own RS_CLEANUP(rs_opened_finish) = {.object_key = {{0}}};
	struct opening opening = {picked, &own};
	struct rs_node *node = web_node(web);
	if (!opened)
		RS_TRY(rs_intake_run(web_intake(web), open_object, &opening, err));
	opened = opened ? opened : &own;
	if (opened->record.size != picked->size)
		return rs_error_set(err, RS_ALTERED, "its record names another size");
	if (!web_compares(web))
		return rs_vault_read_unaddressed(node->vault, &picked->cid, &opened->object_key, take, leave,
		                                 context, err);
	return rs_opened_read(node, opened, take, leave, context, err);
}

static enum rs_code charge(struct rs_web *web, size_t size, struct rs_error *err)
{
	if (size > LOADED_MAX)
		return rs_error_set(
			err, RS_TOO_LARGE,
			"an instance of more than %zu bytes is not taken apart here: retrieve all of it",
			LOADED_MAX);
	pthread_mutex_lock(&web->mutex);
	while (web->loaded > LOADED_MAX - size)
		pthread_cond_wait(&web->unloaded, &web->mutex);
	web->loaded += size;
	pthread_mutex_unlock(&web->mutex);
	return RS_OK;
}

void loaded_finish(struct loaded *loaded)
{
	rs_dicom_finish(&loaded->dicom);
	rs_buffer_finish(&loaded->file);
	if (loaded->charged == 0)
		return;
	pthread_mutex_lock(&loaded->web->mutex);
	loaded->web->loaded -= loaded->charged;
	pthread_cond_broadcast(&loaded->web->unloaded);
	pthread_mutex_unlock(&loaded->web->mutex);
	loaded->charged = 0;
}

static enum rs_code begin_loading(struct rs_web *web, size_t size, struct loaded *out, struct rs_error *err)
{
	*out = (struct loaded){.web = web};
	RS_TRY(charge(web, size, err));
	out->charged = size;
	rs_buffer_init(&out->file, size);
	return RS_OK;
}

static enum rs_code append(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct loaded *loaded = context;
	rs_buffer_append_bytes(&loaded->file, piece);
	return rs_buffer_check(&loaded->file, "an instance", err);
}

enum rs_code loaded_init(struct rs_web *web, const struct picked *picked, struct loaded *out,
                         struct rs_error *err)
{
	RS_TRY(begin_loading(web, picked->size > SIZE_MAX ? SIZE_MAX : (size_t)picked->size, out, err));
	if (rs_buffer_reserve(&out->file, (size_t)picked->size) != RS_OK)
		return rs_buffer_check(&out->file, "an instance", err);
	RS_TRY(object_read(web, picked, NULL, append, NULL, out, err));
	return rs_dicom_parse(rs_buffer_bytes(&out->file), &out->dicom, err);
}

/* Pieces are kept until the header is whole. */
static enum rs_code append_header(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct loaded *loaded = context;
	if (loaded->dicom.count > 0)
		return RS_OK;
	RS_TRY(append(loaded, piece, err));
	/* What cannot be parsed yet may be when more of it has come; and what ends with an element may go on. */
	if (rs_dicom_parse_header(rs_buffer_bytes(&loaded->file), &loaded->dicom, NULL) != RS_OK)
		return RS_OK;
	const struct rs_dicom *dicom = &loaded->dicom;
	const struct rs_bytes last = dicom->count ? dicom->elements[dicom->count - 1].value
	                                          : rs_bytes_of("", 0);
	if (!dicom->inflated && last.data + last.size + 8 > loaded->file.data + loaded->file.size)
		rs_dicom_finish(&loaded->dicom);
	return RS_OK;
}

enum rs_code loaded_header(struct rs_web *web, const struct picked *picked, struct loaded *out,
                           struct rs_error *err)
{
	RS_TRY(begin_loading(web, picked->size < HEADER_MAX ? (size_t)picked->size : HEADER_MAX, out, err));
	RS_TRY(object_read(web, picked, NULL, append_header, NULL, out, err));
	if (out->dicom.count > 0)
		return RS_OK;
	return rs_dicom_parse_header(rs_buffer_bytes(&out->file), &out->dicom, err);
}

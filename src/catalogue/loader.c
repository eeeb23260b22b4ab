/* Opening rows. */
#include "loader.h"

#include <string.h>

#define PLAIN_MAX ((size_t)2 * RS_CATALOGUE_ENTRY_MAX)
#define SUBJECT_MAX 64

void loader_init(struct loader *loader, struct rs_catalogue *catalogue,
                 enum rs_code (*judge)(struct loader *, enum rs_level, bool *, struct rs_error *))
{
	*loader = (struct loader){.catalogue = catalogue, .judge = judge};
	for (size_t i = 0; i < RS_LEVEL_COUNT; i++) {
		rs_buffer_init(&loader->rows[i].name, SUBJECT_MAX);
		rs_buffer_init(&loader->rows[i].box, PLAIN_MAX + 128);
		rs_buffer_init(&loader->rows[i].plain, PLAIN_MAX);
	}
}

void loader_finish(struct loader *loader)
{
	for (size_t i = 0; i < RS_LEVEL_COUNT; i++) {
		rs_buffer_finish(&loader->rows[i].name);
		rs_buffer_finish(&loader->rows[i].box);
		rs_secret_buffer_finish(&loader->rows[i].plain);
	}
	rs_secret_finish(&loader->key);
}

static enum rs_code read_row(struct loader *loader, enum rs_level level, int64_t id, struct rs_error *err)
{
	struct rs_statement *statement = loader->catalogue->statements[GET_PATIENT + (int)level];
	struct row *row = &loader->rows[level];
	uint8_t number[IMAGE_NAME_SIZE];
	*row = (struct row){.id = id, .name = row->name, .box = row->box, .plain = row->plain};
	rs_buffer_clear(&row->name);
	rs_buffer_clear(&row->box);
	rs_buffer_clear(&row->plain);
	rs_statement_bind_i64(statement, 1, id);
	RS_TRY(rs_statement_step(statement, &row->is_there, err));
	if (!row->is_there)
		return RS_OK;
	row->parent = rs_statement_i64(statement, 0);
	rs_buffer_append_bytes(&row->name, rs_statement_bytes(statement, 1));
	rs_buffer_append_bytes(&row->box, rs_statement_bytes(statement, 2));
	rs_statement_reset(statement);
	if (level == RS_LEVEL_IMAGE) {
		row_name_image(id, number);
		rs_buffer_append(&row->name, number, sizeof number);
	}
	RS_TRY(rs_buffer_check(&row->name, "a row of the catalogue", err));
	return rs_buffer_check(&row->box, "a row of the catalogue", err);
}

/* A patient's key, or what stands above. */
static enum rs_code read_above(struct loader *loader, enum rs_level level, struct rs_error *err)
{
	const struct rs_catalogue_keys *keys = &loader->catalogue->keys;
	struct row *row = &loader->rows[level];
	if (level == RS_LEVEL_PATIENT) {
		enum rs_code code = keys->subject_key(keys->context, rs_buffer_bytes(&row->name),
		                                      &loader->key, err);
		row->is_there = code == RS_OK;
		return code == RS_NOT_FOUND ? RS_OK : code; /* erased just now */
	}
	enum rs_level above = (enum rs_level)(level - 1);
	RS_TRY(loader_get(loader, above, row->parent, err));
	row->is_there = loader->rows[above].is_there;
	row->is_passed = loader->rows[above].is_passed;
	return RS_OK;
}

enum rs_code loader_get(struct loader *loader, enum rs_level level, int64_t id, struct rs_error *err)
{
	struct row *row = &loader->rows[level];
	if (row->id == id)
		return RS_OK;
	enum rs_code code = read_row(loader, level, id, err);
	if (code == RS_OK && row->is_there)
		code = read_above(loader, level, err);
	if (code == RS_OK && row->is_there && !row->is_passed)
		code = row_open(level, &loader->key, rs_buffer_bytes(&row->name), rs_buffer_bytes(&row->box),
		                &row->plain, err);
	if (code == RS_OK && row->is_there && !row->is_passed && loader->judge)
		code = loader->judge(loader, level, &row->is_passed, err);
	if (code != RS_OK)
		row->id = 0; /* not in hand */
	return code;
}

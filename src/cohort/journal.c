/* A file of records, each a line "case <index> <key> <rows> <bytes> <SHA-256>" and the cells behind it. It is only
 * ever appended to; what is damaged is measured again. */
#include <stdio.h>
#include <string.h>

#include "cohort/journal.h"
#include "cohort/provenance.h"

#define HEAD_MAX 256
#define HEADLINE "radseal cases 1 "

struct place {
	uint64_t offset; /* of the cells; 0: the case is not there */
	size_t size, row_count;
	struct rs_digest key, digest;
};
struct journal {
	const struct cohort_plan *plan;
	struct rs_file *file;
	uint64_t end;
	struct place *places;
	size_t count;
};

void journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	rs_file_close(journal->file);
	rs_free(journal->places);
	rs_free(journal);
}

/* What stands at an offset, and the size of its first line; 0 when no line ends there. */
static enum rs_code read_line(const struct journal *journal, uint64_t at, char out[HEAD_MAX],
                              size_t *out_size, struct rs_error *err)
{
	size_t got = 0;
	*out_size = 0;
	RS_TRY(rs_file_read_at(journal->file, at, out, HEAD_MAX, &got, err));
	const char *end = memchr(out, '\n', got);
	if (end != NULL)
		*out_size = (size_t)(end - out);
	return RS_OK;
}

/* A journal, or the beginning of one that was interrupted while it was made. */
static bool is_ours(const char *line, uint64_t file_size)
{
	size_t known = sizeof HEADLINE - 1;
	return memcmp(line, HEADLINE, file_size < known ? (size_t)file_size : known) == 0;
}

static bool next_number(struct rs_str *rest, uint64_t most, uint64_t *out)
{
	struct rs_str word;
	return rs_str_split(rest, ' ', &word) && rs_parse_u64(word, out) && *out <= most;
}

static bool next_digest(struct rs_str *rest, struct rs_digest *out)
{
	struct rs_str word;
	return rs_str_split(rest, ' ', &word) && rs_hex_decode(word, (uint8_t *)out, sizeof *out);
}

static bool parse_head(struct rs_str line, size_t case_count, size_t *out_index, struct place *out)
{
	struct rs_str word;
	uint64_t index, rows, size;
	if (!rs_str_split(&line, ' ', &word) || !rs_str_equal_text(word, "case") ||
	    !next_number(&line, case_count - 1, &index) || !next_digest(&line, &out->key) ||
	    !next_number(&line, ROWS_SIZE_MAX, &rows) || !next_number(&line, ROWS_SIZE_MAX, &size) ||
	    !next_digest(&line, &out->digest) || line.data != NULL)
		return false;
	*out_index = (size_t)index;
	out->row_count = (size_t)rows;
	out->size = (size_t)size;
	return true;
}

/* Every whole record; `end` is left behind the last one. */
static enum rs_code scan(struct journal *journal, uint64_t file_size, struct rs_error *err)
{
	char line[HEAD_MAX];
	size_t size = 0, index = 0;
	for (;;) {
		struct place place = {0};
		RS_TRY(read_line(journal, journal->end, line, &size, err));
		if (size == 0 || !parse_head((struct rs_str){line, size}, journal->count, &index, &place))
			return RS_OK;
		place.offset = journal->end + size + 1;
		if (place.offset + place.size > file_size)
			return RS_OK;
		journal->places[index] = place;
		journal->end = place.offset + place.size;
	}
}

static enum rs_code start(struct journal *journal, const char *path, struct rs_error *err)
{
	char head[HEAD_MAX], hex[HEX_SIZE], line[HEAD_MAX];
	uint64_t file_size = 0;
	size_t size = 0;
	rs_hex_encode(rs_bytes_of(&journal->plan->digest, sizeof journal->plan->digest), hex);
	snprintf(head, sizeof head, HEADLINE "%s", hex);
	RS_TRY(rs_file_size(journal->file, &file_size, err));
	RS_TRY(read_line(journal, 0, line, &size, err));
	if (!is_ours(line, file_size))
		return rs_error_set(err, RS_EXISTS,
		                    "%s is in the way: finished cases are kept under that name", path);
	if (rs_str_equal_text((struct rs_str){line, size}, head)) {
		journal->end = size + 1;
		RS_TRY(scan(journal, file_size, err));
		return journal->file->files->truncate(journal->file, journal->end, err);
	}
	RS_TRY(journal->file->files->truncate(journal->file, 0, err));
	size = strlen(head);
	head[size++] = '\n';
	journal->end = size;
	return rs_file_write_at(journal->file, 0, head, size, err);
}

enum rs_code journal_open(const struct rs_world *world, const char *path, const struct cohort_plan *plan,
                          size_t case_count, struct journal **out, struct rs_error *err)
{
	struct journal *journal = rs_allocate(sizeof *journal);
	if (journal == NULL)
		return rs_error_memory(err, sizeof *journal, "a journal");
	journal->plan = plan;
	journal->count = case_count;
	journal->places = rs_allocate_array(case_count, sizeof *journal->places);
	enum rs_code code = RS_OK;
	if (journal->places == NULL)
		code = rs_error_memory(err, case_count * sizeof *journal->places, "a journal");
	if (code == RS_OK)
		code = rs_file_open(world, path, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE,
		                    &journal->file, err);
	if (code == RS_OK)
		code = journal->file->files->lock(journal->file, true, err);
	if (code == RS_OK)
		code = start(journal, path, err);
	if (code == RS_OK)
		*out = journal;
	else
		journal_close(journal);
	return code;
}

enum rs_code journal_key(const struct rs_world *world, const struct rs_cohort *cohort,
                         const struct cohort_plan *plan, size_t index, struct rs_digest *out,
                         struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_cohort_case *item = &cohort->cases[index];
	rs_buffer_init(&text, (size_t)64 << 20);
	rs_buffer_append(&text, &plan->digest, sizeof plan->digest);
	for (size_t i = 0; i < cohort->input_count; i++)
		rs_buffer_append(&text, item->input[i], strlen(item->input[i]) + 1);
	for (size_t i = 0; i < cohort->image_count; i++) {
		if (item->images[i].image != NULL)
			RS_TRY(stamp_append(world, item->images[i].image, &text, err));
		if (item->images[i].mask != NULL)
			RS_TRY(stamp_append(world, item->images[i].mask, &text, err));
	}
	RS_TRY(rs_buffer_check(&text, "a case's key", err));
	rs_sha256(rs_buffer_bytes(&text), out);
	return RS_OK;
}

static bool cells_whole(const struct journal *journal, const struct place *place, const uint8_t *cells)
{
	size_t count = 0, expected;
	struct rs_digest digest;
	if (!rs_mul_size(place->row_count, journal->plan->column_count, &expected))
		return false;
	for (size_t i = 0; i < place->size; i++)
		count += cells[i] == 0;
	rs_sha256(rs_bytes_of(cells, place->size), &digest);
	return count == expected && place->size > 0 && cells[place->size - 1] == 0 &&
	       memcmp(&digest, &place->digest, sizeof digest) == 0;
}

bool journal_find(struct journal *journal, size_t index, const struct rs_digest *key, struct outcome *out)
{
	const struct place *place = &journal->places[index];
	size_t got = 0;
	if (place->offset == 0 || memcmp(&place->key, key, sizeof *key) != 0)
		return false;
	rs_buffer_init(&out->rows, ROWS_SIZE_MAX);
	if (rs_buffer_reserve(&out->rows, place->size) == RS_OK &&
	    rs_file_read_at(journal->file, place->offset, out->rows.data, place->size, &got, NULL) == RS_OK &&
	    got == place->size && cells_whole(journal, place, out->rows.data)) {
		out->rows.size = place->size;
		out->row_count = place->row_count;
		out->resumed = true;
		return true;
	}
	rs_buffer_finish(&out->rows);
	return false;
}

enum rs_code journal_add(struct journal *journal, size_t index, const struct rs_digest *key,
                         const struct outcome *outcome, struct rs_error *err)
{
	struct rs_buffer record RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest digest;
	char key_hex[HEX_SIZE], digest_hex[HEX_SIZE];
	rs_sha256(rs_buffer_bytes(&outcome->rows), &digest);
	rs_hex_encode(rs_bytes_of(key, sizeof *key), key_hex);
	rs_hex_encode(rs_bytes_of(&digest, sizeof digest), digest_hex);
	rs_buffer_init(&record, ROWS_SIZE_MAX + HEAD_MAX);
	rs_buffer_printf(&record, "case %zu %s %zu %zu %s\n", index, key_hex, outcome->row_count,
	                 outcome->rows.size, digest_hex);
	rs_buffer_append_bytes(&record, rs_buffer_bytes(&outcome->rows));
	RS_TRY(rs_buffer_check(&record, "a record of the journal", err));
	RS_TRY(rs_file_write_at(journal->file, journal->end, record.data, record.size, err));
	journal->end += record.size;
	return RS_OK;
}

/* Parsed files, places along a normal, grids and names: what series, segmentations and structure sets share. */
#include "dicom_stack.h"

#include <math.h>
#include <string.h>

#define FILE_MAX ((size_t)2 << 30)

void slice_finish(struct slice *slice)
{
	rs_dicom_finish(&slice->dicom);
	rs_buffer_finish(&slice->file);
	rs_free(slice->path);
}

enum rs_code file_begins_dicom(const struct rs_world *world, const char *path, bool *out_is,
                               struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	uint8_t start[132];
	size_t got = 0;
	RS_TRY(rs_file_open(world, path, RS_OPEN_READ, &file, err));
	RS_TRY(rs_file_read_at(file, 0, start, sizeof start, &got, err));
	*out_is = rs_dicom_begins(rs_bytes_of(start, got));
	return RS_OK;
}

enum rs_code slice_parse(const struct rs_world *world, const char *path, struct slice *out,
                         struct rs_error *err)
{
	RS_TRY(rs_file_read_all(world, path, FILE_MAX, &out->file, err));
	enum rs_code code = rs_dicom_parse(rs_buffer_bytes(&out->file), &out->dicom, err);
	if (code == RS_OK)
		code = rs_dicom_metadata(&out->dicom, &out->metadata, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

static const struct rs_dicom_element *child_at(const struct rs_dicom *dicom,
                                               const struct rs_dicom_element *parent, uint32_t index)
{
	return index < parent->next ? &dicom->elements[index] : NULL;
}

const struct rs_dicom_element *first_child(const struct rs_dicom *dicom,
                                           const struct rs_dicom_element *parent)
{
	if (parent == NULL || !parent->has_children)
		return NULL;
	return child_at(dicom, parent, (uint32_t)(parent - dicom->elements) + 1);
}

const struct rs_dicom_element *next_child(const struct rs_dicom *dicom, const struct rs_dicom_element *parent,
                                          const struct rs_dicom_element *child)
{
	return child_at(dicom, parent, child->next);
}

void normal_of(const double orientation[6], double out[3])
{
	const double *r = orientation, *c = orientation + 3;
	out[0] = r[1] * c[2] - r[2] * c[1];
	out[1] = r[2] * c[0] - r[0] * c[2];
	out[2] = r[0] * c[1] - r[1] * c[0];
}

double place_of(const double position[3], const double normal[3])
{
	return position[0] * normal[0] + position[1] * normal[1] + position[2] * normal[2];
}

/* How far `position` lies beside the line through `first` along the normal: a tilted gantry shears the stack. */
static double beside(const double first[3], const double position[3], const double normal[3],
                     double *out_along)
{
	double along = 0, square = 0;
	for (int k = 0; k < 3; k++)
		along += (position[k] - first[k]) * normal[k];
	for (int k = 0; k < 3; k++) {
		double part = position[k] - first[k] - along * normal[k];
		square += part * part;
	}
	*out_along = fabs(along);
	return sqrt(square);
}

/* A thousandth, as check_geometry allows, and what positions in decimals lose. */
enum rs_code check_straight(const double first[3], const double position[3], const double normal[3],
                            struct rs_error *err)
{
	double along, off = beside(first, position, normal, &along);
	if (off <= 1e-3 * along + 0.01)
		return RS_OK;
	return rs_error_set(
		err, RS_UNSUPPORTED,
		"over %.4f mm along the normal the slices shift by %.4f mm beside it: a tilted gantry or tiles; "
		"resample it to a straight grid first (dcm2niix does)",
		along, off);
}

void fill_geometry(const struct rs_dicom_metadata *m, size_t slices, double spacing, struct rs_geometry *out)
{
	double normal[3];
	bool placed = m->present & RS_DICOM_HAS_ORIENTATION;
	const double axial[6] = {1, 0, 0, 0, 1, 0};
	const double *orientation = placed ? m->image_orientation : axial;
	normal_of(orientation, normal);
	*out = (struct rs_geometry){.size = {m->columns, m->rows, slices}};
	out->spacing_mm[0] = m->present & RS_DICOM_HAS_SPACING ? m->pixel_spacing_mm[1] : 1;
	out->spacing_mm[1] = m->present & RS_DICOM_HAS_SPACING ? m->pixel_spacing_mm[0] : 1;
	out->spacing_mm[2] = spacing;
	for (int row = 0; row < 3; row++) {
		out->origin_mm[row] = m->image_position_mm[row];
		out->direction[row][0] = orientation[row];
		out->direction[row][1] = orientation[3 + row];
		out->direction[row][2] = normal[row];
	}
}

enum rs_voxel_type stored_type(const struct rs_dicom_metadata *m)
{
	bool is_signed = m->pixel_representation == 1;
	if (m->bits_allocated <= 8)
		return is_signed ? RS_VOXEL_I8 : RS_VOXEL_U8;
	if (m->bits_allocated <= 16)
		return is_signed ? RS_VOXEL_I16 : RS_VOXEL_U16;
	return is_signed ? RS_VOXEL_I32 : RS_VOXEL_U32;
}

/* Of a byte, RLE makes at most 64 (128 of two, PS3.5 annex G.3.1) and DEFLATE 1032. JPEG-LS and JPEG 2000 write an empty
 * slice of 512 x 512 words in some hundred bytes; a hostile one is to be no bigger than this many times its file. */
#define EXPANSION_MAX 8192
enum rs_code check_pixel_data(const struct slice *slice, struct rs_error *err)
{
	const struct rs_dicom_metadata *m = &slice->metadata;
	static const uint32_t tags[] = {RS_DICOM_PIXEL_DATA, RS_DICOM_TAG(0x7FE0, 8),
	                                RS_DICOM_TAG(0x7FE0, 9)};
	static const size_t bits_of[] = {0, 32, 64};
	for (size_t i = 0; i < RS_COUNT(tags); i++) {
		const struct rs_dicom_element *e = rs_dicom_find(&slice->dicom, NULL, tags[i]);
		size_t count, bits = bits_of[i] ? bits_of[i] : m->bits_allocated;
		if (!e)
			continue;
		size_t most = e->has_children ? EXPANSION_MAX : 1;
		if (!rs_mul_size((size_t)m->rows * m->columns, m->number_of_frames, &count) ||
		    !rs_mul_size(count, bits, &count) || count / 8 / most > e->value.size)
			return rs_error_set(err, RS_MALFORMED,
			                    "%zu bytes of pixel data cannot hold %u frames of %u x %u pixels",
			                    e->value.size, m->number_of_frames, m->columns, m->rows);
		return RS_OK;
	}
	return rs_error_set(err, RS_UNSUPPORTED, "has no pixels");
}

void rescale(struct rs_volume *volume, double slope, double intercept, double *voxels, size_t count)
{
	if (slope == 1 && intercept == 0)
		return;
	bool whole = slope == floor(slope) && intercept == floor(intercept);
	volume->stored = whole ? RS_VOXEL_I32 : RS_VOXEL_F64;
	for (size_t i = 0; i < count; i++)
		voxels[i] = voxels[i] * slope + intercept;
}

/* Not to cut a character in two: continuation bytes of UTF-8 are 10xxxxxx. */
static size_t whole_characters(const uint8_t *text, size_t size, size_t maximum)
{
	if (size <= maximum)
		return size;
	while (maximum > 0 && (text[maximum] & 0xC0) == 0x80)
		maximum--;
	return maximum;
}

enum rs_code take_label_name(const struct rs_dicom *dicom, const struct rs_dicom_element *element,
                             struct rs_label *out, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom_charset charset = {0};
	memset(out->name, 0, sizeof out->name);
	if (!element || element->has_children || element->value.size == 0)
		return RS_OK;
	rs_buffer_init(&text, 4 * element->value.size + 16);
	/* An unknown set is no reason to refuse a mask: it is read as ASCII, and the rest becomes U+FFFD. */
	(void)rs_dicom_charset_of(dicom, element, &charset, NULL);
	RS_TRY(rs_dicom_text_utf8(&charset, element, 0, &text, NULL, err));
	size_t size = whole_characters(text.data, text.size, sizeof out->name - 1);
	for (size_t i = 0; i < size; i++)
		out->name[i] = text.data[i] < 0x20 || text.data[i] == 0x7f ? '?' : (char)text.data[i];
	return RS_OK;
}

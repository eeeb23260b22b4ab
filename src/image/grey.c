/* Stored values to grey (PS3.3 C.11.1 modality LUT, C.11.2 VOI LUT, C.11.6 softcopy shape). */
#include "grey.h"

#include <math.h>

#include "dicom_frames.h"

#define TAG(group, element) RS_DICOM_TAG(0x##group, 0x##element)
#define LUT_DESCRIPTOR TAG(0028, 3002)
#define LUT_DATA TAG(0028, 3006)

bool grey_table_of(const struct rs_dicom_element *descriptor, const struct rs_dicom_element *data,
                   bool is_signed, struct grey_table *out)
{
	int64_t count, first, bits;
	if (!descriptor || !data || data->has_children || !rs_dicom_int(descriptor, 0, &count) ||
	    !rs_dicom_int(descriptor, 1, &first) || !rs_dicom_int(descriptor, 2, &bits) || bits < 1 ||
	    bits > 16)
		return false;
	*out = (struct grey_table){.count = count > 0 ? (size_t)count
	                                              : 65536, /* of two bytes, PS3.3 C.11.1.1.1 */
	                           .first = is_signed && first > INT16_MAX ? first - 65536 : first,
	                           .most = (double)((1 << bits) - 1),
	                           .data = data->value,
	                           .big = data->encoding == RS_DICOM_EXPLICIT_BE};
	out->wide = data->value.size >= 2 * out->count;
	return data->value.size >= out->count;
}

double grey_look_up(const struct grey_table *table, double value)
{
	const double place = fmin(fmax(value - (double)table->first, 0), (double)(table->count - 1));
	const size_t at = (size_t)place;
	if (!table->wide)
		return table->data.data[at];
	return table->big ? rs_read_be16(table->data.data + 2 * at) : rs_read_le16(table->data.data + 2 * at);
}

bool grey_is(const struct rs_dicom_metadata *m)
{
	return m->samples_per_pixel == 1 &&
	       (rs_str_equal_text(m->photometric_interpretation, "MONOCHROME1") ||
	        rs_str_equal_text(m->photometric_interpretation, "MONOCHROME2"));
}

/* Of a frame's functional groups, else of the data set. */
static const struct rs_dicom_element *of_frame(const struct functional_groups *groups, uint32_t sequence,
                                               uint32_t tag)
{
	const struct rs_dicom_element *found = functional(groups, sequence, tag);
	return found ? found : rs_dicom_find(groups->dicom, NULL, tag);
}

static struct functional_groups groups_of(const struct rs_dicom *dicom, size_t frame)
{
	const struct rs_dicom_element *per_frame = rs_dicom_find(dicom, NULL, PER_FRAME_GROUPS);
	return (struct functional_groups){
		.dicom = dicom,
		.own = per_frame ? rs_dicom_item(dicom, per_frame, frame) : NULL,
		.shared = first_child(dicom, rs_dicom_find(dicom, NULL, SHARED_GROUPS)),
	};
}

static bool table_in(const struct rs_dicom *dicom, uint32_t sequence, bool is_signed, struct grey_table *out)
{
	const struct rs_dicom_element *item = first_child(dicom, rs_dicom_find(dicom, NULL, sequence));
	return item && grey_table_of(rs_dicom_find(dicom, item, LUT_DESCRIPTOR),
	                             rs_dicom_find(dicom, item, LUT_DATA), is_signed, out);
}

/* Stored values to those that windows are about. */
static void rescaled(const struct functional_groups *groups, bool is_signed, double *values, size_t count)
{
	struct grey_table table;
	double slope = 1, intercept = 0;
	const bool tabled = table_in(groups->dicom, TAG(0028, 3000), is_signed, &table);
	(void)rs_dicom_double(of_frame(groups, TAG(0028, 9145), TAG(0028, 1053)), 0, &slope);
	(void)rs_dicom_double(of_frame(groups, TAG(0028, 9145), TAG(0028, 1052)), 0, &intercept);
	for (size_t i = 0; i < count; i++)
		values[i] = tabled ? grey_look_up(&table, values[i]) : values[i] * slope + intercept;
}

static bool window_of(const struct functional_groups *groups, struct rs_window *out)
{
	const struct rs_str function = rs_dicom_text(of_frame(groups, TAG(0028, 9132), TAG(0028, 1056)), 0);
	out->function = rs_str_equal_text(function, "SIGMOID")        ? RS_WINDOW_SIGMOID
	                : rs_str_equal_text(function, "LINEAR_EXACT") ? RS_WINDOW_LINEAR_EXACT
	                                                              : RS_WINDOW_LINEAR;
	return rs_dicom_double(of_frame(groups, TAG(0028, 9132), TAG(0028, 1050)), 0, &out->centre) &&
	       rs_dicom_double(of_frame(groups, TAG(0028, 9132), TAG(0028, 1051)), 0, &out->width) &&
	       isfinite(out->centre) && isfinite(out->width) &&
	       (out->function == RS_WINDOW_LINEAR ? out->width > 1 : out->width > 0);
}

/* PS3.3 C.11.2.1.2 and C.11.2.1.3, into 0 … 1. */
static void windowed(const struct rs_window *window, double *values, size_t count)
{
	const bool exact = window->function == RS_WINDOW_LINEAR_EXACT;
	const double width = exact ? window->width : window->width - 1;
	const double from = exact ? window->centre - width / 2 : window->centre - 0.5 - width / 2;
	for (size_t i = 0; i < count; i++) {
		if (window->function == RS_WINDOW_SIGMOID)
			values[i] = 1 / (1 + exp(-4 * (values[i] - window->centre) / window->width));
		else if (width > 0)
			values[i] = (values[i] - from) / width;
		else
			values[i] = values[i] > from;
	}
}

static void stretched(double *values, size_t count)
{
	double least = INFINITY, most = -INFINITY;
	for (size_t i = 0; i < count; i++) {
		least = fmin(least, values[i]);
		most = fmax(most, values[i]);
	}
	const double width = most > least ? most - least : 1;
	for (size_t i = 0; i < count; i++)
		values[i] = (values[i] - least) / width;
}

static bool is_turned(const struct rs_dicom *dicom, const struct rs_dicom_metadata *m)
{
	const struct rs_str shape = rs_dicom_text(rs_dicom_find(dicom, NULL, TAG(2050, 0020)), 0);
	return rs_str_equal_text(m->photometric_interpretation, "MONOCHROME1") ||
	       rs_str_equal_text(shape, "INVERSE");
}

enum rs_code grey_read(const struct rs_dicom *dicom, size_t frame, const struct rs_window *window, float *out,
                       size_t count, struct rs_error *err)
{
	struct rs_dicom_metadata m = {0};
	struct rs_window own;
	struct grey_table table;
	const struct functional_groups groups = groups_of(dicom, frame);
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
	if (!values)
		return rs_error_memory(err, count * sizeof *values, "a picture");
	RS_TRY(rs_dicom_metadata(dicom, &m, err));
	RS_TRY(rs_dicom_pixels(dicom, frame, values, count, err));
	rescaled(&groups, m.pixel_representation != 0, values, count);
	if (!window && window_of(&groups, &own))
		window = &own;
	if (window)
		windowed(window, values, count);
	else if (table_in(dicom, TAG(0028, 3010), m.pixel_representation != 0, &table))
		for (size_t i = 0; i < count; i++)
			values[i] = grey_look_up(&table, values[i]) / table.most;
	else
		stretched(values, count);
	const bool turned = is_turned(dicom, &m);
	for (size_t i = 0; i < count; i++) {
		const double value = fmin(fmax(values[i], 0), 1);
		out[i] = (float)(turned ? 1 - value : value);
	}
	return RS_OK;
}

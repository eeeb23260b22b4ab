/* radseal convert: a DICOM file in another transfer syntax, or a frame of it as a picture. */
#include <stdio.h>

#include "dicom/dicom_transcode.h"
#include "dicomnet/dicomnet.h"
#include "image/image_render.h"
#include "session.h"
#include "transcoded.h"

#define FILE_MAX ((size_t)4 << 30)
#define FRAME_MAX 1000000000

static enum rs_code read_window(const char *text, struct rs_window *out, struct rs_error *err)
{
	static const char *const functions[] = {"linear", "linear-exact", "sigmoid"};
	struct rs_str rest = rs_str_from(text), part;
	double numbers[2] = {0, 0};
	size_t count = 0, function = 0;
	bool good = true;
	for (; rs_str_split(&rest, ',', &part); count++) {
		if (count < 2)
			good = good && rs_parse_f64(part, &numbers[count]);
		for (function = 0; count == 2 && function < 3; function++)
			if (rs_str_equal_text(part, functions[function]))
				break;
	}
	if (!good || count < 2 || count > 3 || function == 3)
		return rs_error_set(
			err, RS_USAGE,
			"convert: --window is CENTRE,WIDTH[,linear|linear-exact|sigmoid], not '%s'", text);
	*out = (struct rs_window){numbers[0], numbers[1], (enum rs_window_function)function};
	return RS_OK;
}

static enum rs_code render(const struct command_line *line, const struct rs_dicom *dicom, bool as_jpeg,
                           struct rs_buffer *out, struct rs_error *err)
{
	uint64_t frame, quality, fit;
	struct rs_window window;
	RS_TRY(option_u64(line, "frame", 1, FRAME_MAX, &frame, err));
	RS_TRY(option_u64(line, "quality", 0, 100, &quality, err));
	RS_TRY(option_u64(line, "fit", 0, 16384, &fit, err));
	if (option_given(line, "window"))
		RS_TRY(read_window(option_value(line, "window"), &window, err));
	if (frame == 0)
		return rs_error_set(err, RS_USAGE, "convert: frames count from 1");
	const struct rs_rendering how = {.frame = (size_t)frame - 1,
	                                 .as_jpeg = as_jpeg,
	                                 .quality = (unsigned)quality,
	                                 .window = option_given(line, "window") ? &window : NULL,
	                                 .fit_width = (size_t)fit,
	                                 .fit_height = (size_t)fit};
	return rs_render(dicom, &how, out, err);
}

static enum rs_code convert(const struct command_line *line, const struct rs_dicom *dicom,
                            const char **out_what, struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_str name = rs_str_from(line->operands[1]);
	const bool as_jpeg = rs_str_ends_with(name, ".jpg") || rs_str_ends_with(name, ".jpeg");
	const char *syntax = transfer_syntax_of(option_value(line, "transfer-syntax"));
	if (as_jpeg || rs_str_ends_with(name, ".png")) {
		*out_what = as_jpeg ? "JPEG" : "PNG";
		return render(line, dicom, as_jpeg, out, err);
	}
	*out_what = syntax;
	return rs_dicom_transcode(dicom, syntax, RS_DICOM_IMPLEMENTATION_UID, out, err);
}

static void tell(const struct command_line *line, const struct rs_dicom *dicom, const char *what, size_t size)
{
	const char *from = rs_dicom_uid_name(rs_str_from(dicom->transfer_syntax));
	const char *to = rs_dicom_uid_name(rs_str_from(what));
	if (option_given(line, "json"))
		printf("{\"from\": \"%s\", \"to\": \"%s\", \"size\": %zu}\n", dicom->transfer_syntax, what,
		       size);
	else if (!option_given(line, "quiet"))
		fprintf(stderr, "converted from %s to %s, %zu bytes\n", from ? from : dicom->transfer_syntax,
		        to ? to : what, size);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	const char *what = "";
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE,
		                    "convert takes a DICOM file and the name of what is made of it");
	RS_TRY(rs_file_read_all(world, line->operands[0], FILE_MAX, &file, err));
	rs_buffer_init(&out, FILE_MAX);
	enum rs_code code = rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err);
	if (code == RS_OK)
		code = convert(line, &dicom, &what, &out, err);
	if (code != RS_OK)
		return code == RS_USAGE ? code : rs_error_context(err, "%s", line->operands[0]);
	RS_TRY(rs_file_replace(world, line->operands[1], rs_buffer_bytes(&out), 0600, err));
	tell(line, &dicom, what, out.size);
	return RS_OK;
}

static const struct option options[] = {
	{"transfer-syntax", "NAME", TRANSFER_SYNTAX_HELP " (default explicit)"},
	{"frame", "N", "of a picture: which frame, from 1 (default 1)"},
	{"window", "C,W[,F]",
         "of a picture: centre and width after rescaling; linear, linear-exact or sigmoid"},
	{"fit", "PIXELS", "of a picture: its longer side"},
	{"quality", "N", "of a JPEG: 1 to 100 (default 90)"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal convert scan.dcm plain.dcm", "uncompressed, for a program that reads nothing else"},
	{"radseal convert scan.dcm small.dcm --transfer-syntax jpeg-ls", "compressed without loss"},
	{"radseal convert ct.dcm lung.png --window -600,1500", "a picture, as a workstation shows it"},
	{NULL, NULL},
};

const struct command command_convert = {
	.name = "convert",
	.arguments = "FILE OUT.dcm|OUT.png|OUT.jpg [--transfer-syntax NAME] [--frame N] [--window C,W]",
	.summary = "convert a DICOM file to another transfer syntax, or a frame to a picture",
	.description =
		"Writes a copy in another transfer syntax: decoded, or compressed without loss. Data elements stay, but for\n"
		"those that describe the pixels anew. Or, when the name ends in .png or .jpg, one frame as it is looked at:\n"
		"modality and VOI LUTs or windows, palettes, colours, 8 bits. A copy is not what was sealed: verify tells so.",
	.options = options,
	.examples = examples,
	.run = run,
};

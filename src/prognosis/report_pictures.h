/* The report of a network of pictures. */
#ifndef RS_PROGNOSIS_REPORT_PICTURES_H
#define RS_PROGNOSIS_REPORT_PICTURES_H

#include "pictures.h"
#include "report/report.h"

struct pictured {
	const struct picture_study *study;
	const struct pictures *pictures;
	const struct rs_pictures_model *model;
	const uint8_t *outcome;   /* of the test pictures, */
	const double *p, *simple; /* what the network and the simple model said of them */
	const char *verdict;
	struct rs_bytes model_file;
	const struct rs_gathered *gathered;
};
enum rs_code pictures_page(const struct pictured *pictured, const struct rs_page *page, struct rs_error *err);

#endif

/* Settings that ship with radseal: those of the IBSI reference manual, chapter "Reference data sets". What a
 * configuration does not name is as ibsi_settings_default() has it. */
#include <string.h>

#include "radiomics/ibsi.h"

static const struct {
	const char *name;
	struct {
		const char *name, *value;
	} settings[8];
} shipped[] = {
	{"ibsi-digital", {{"binWidth", "1"}}},
	{"ibsi-1-a",
         {{"dimensions", "2D,2.5D"}, {"bySlice", "true"}, {"range", "-500,400"}, {"binWidth", "25"}}},
	{"ibsi-1-b",
         {{"dimensions", "2D,2.5D"},
          {"bySlice", "true"},
          {"spacing", "2,2,0"},
          {"round", "true"},
          {"range", "-500,400"},
          {"binCount", "32"}}},
	{"ibsi-1-c",
         {{"dimensions", "3D"},
          {"spacing", "2,2,2"},
          {"round", "true"},
          {"range", "-1000,400"},
          {"binWidth", "25"},
          {"ivhBinWidth", "2.5"}}},
	{"ibsi-1-d",
         {{"dimensions", "3D"},
          {"spacing", "2,2,2"},
          {"round", "true"},
          {"outlierSigma", "3"},
          {"binCount", "32"}}},
	{"ibsi-1-e",
         {{"dimensions", "3D"},
          {"spacing", "2,2,2"},
          {"imageSpline", "3"},
          {"round", "true"},
          {"range", "-1000,400"},
          {"outlierSigma", "3"},
          {"binCount", "32"},
          {"ivhBinCount", "1000"}}},
};

enum rs_code rs_radiomics_settings_named(const char *name, struct rs_radiomics_settings *out,
                                         struct rs_error *err)
{
	struct rs_radiomics_settings settings;
	for (size_t i = 0; i < RS_COUNT(shipped); i++) {
		if (strcmp(shipped[i].name, name) != 0)
			continue;
		rs_radiomics_settings_default(&settings);
		settings.mode = RS_RADIOMICS_IBSI;
		for (size_t k = 0; k < RS_COUNT(shipped[i].settings) && shipped[i].settings[k].name != NULL;
		     k++)
			RS_TRY(ibsi_settings_set(&settings.ibsi, shipped[i].settings[k].name,
			                         shipped[i].settings[k].value, err));
		*out = settings;
		return RS_OK;
	}
	return rs_error_set(err, RS_NOT_FOUND,
	                    "no settings ship under the name '%s'; there are ibsi-digital and ibsi-1-a to "
	                    "ibsi-1-e",
	                    name);
}

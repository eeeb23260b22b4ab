/* libxgboost and libsvm, loaded when they are first needed: their relocations and those of the C++ library take 4 ms, more
 * than radseal needs to start. */
#ifndef RS_LEARN_LIBRARIES_H
#define RS_LEARN_LIBRARIES_H

#include <libsvm/svm.h>
#include <xgboost/c_api.h>

#include "base/base.h"

#define XGBOOST_FUNCTIONS(X)      \
	X(XGBGetLastError)        \
	X(XGBSetGlobalConfig)     \
	X(XGDMatrixCreateFromMat) \
	X(XGDMatrixSetFloatInfo)  \
	X(XGDMatrixFree)          \
	X(XGBoosterCreate)        \
	X(XGBoosterFree)          \
	X(XGBoosterSetParam)      \
	X(XGBoosterUpdateOneIter) \
	X(XGBoosterEvalOneIter)   \
	X(XGBoosterSaveModelToBuffer)
#define LIBSVM_FUNCTIONS(X)              \
	X(svm_set_print_string_function) \
	X(svm_check_parameter)           \
	X(svm_train)                     \
	X(svm_predict_values)            \
	X(svm_free_and_destroy_model)

#define LIBRARY_MEMBER(name) __typeof__(&name) name;
struct xgboost {
	XGBOOST_FUNCTIONS(LIBRARY_MEMBER)
};
struct libsvm {
	LIBSVM_FUNCTIONS(LIBRARY_MEMBER)
};
#undef LIBRARY_MEMBER
/* They stay loaded. errors  RS_UNSUPPORTED: not installed */
enum rs_code xgboost_load(const struct xgboost **out, struct rs_error *err);
enum rs_code libsvm_load(const struct libsvm **out, struct rs_error *err); /* which prints nothing any more */

#endif

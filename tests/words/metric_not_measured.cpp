// words: inlay: these Scores do not hold that metric
// words: Accuracy
// words: Scores|Auc
#include <inlay/train.hpp>

using namespace inlay;

#ifdef MISTAKE
double wanted(Scores<Auc, LogLoss> const& scores) { return get<Accuracy>(scores); }
#else
double wanted(Scores<Auc, LogLoss> const& scores) { return get<Auc>(scores); }
#endif

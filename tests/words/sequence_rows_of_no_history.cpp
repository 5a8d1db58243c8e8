// words: inlay: sequence_rows wants the name of a History that is SameAs a field with one id
#include <inlay/data.hpp>

using namespace inlay;

using Visit = Record<Categorical<"item", 8>, History<"watched", 4, SameAs<"item">>>;

#ifdef MISTAKE
auto rows_of(EventLog<Visit> const& log) { return sequence_rows<"item">(log, log.all()); }
#else
auto rows_of(EventLog<Visit> const& log) { return sequence_rows<"watched">(log, log.all()); }
#endif

int main() { return int(rows_of(EventLog<Visit>{}).size()); }

// words: inlay: next_rows wants the name of a field of the record with one id
#include <inlay/data.hpp>

using namespace inlay;

using Visit = Record<Categorical<"item", 8>, History<"watched", 4, SameAs<"item">>>;

#ifdef MISTAKE
auto rows_of(EventLog<Visit> const& log) { return next_rows<"watched">(log, log.all()); }
#else
auto rows_of(EventLog<Visit> const& log) { return next_rows<"item">(log, log.all()); }
#endif

int main() { return int(rows_of(EventLog<Visit>{}).size()); }

// A look at what a job would do, before it is started.
#pragma once

#include "jobs/runner.h"

namespace aichemy::jobs {

// The definition's SELECT over the newest records of its topics; topics that are not there have
// none. Writes nothing and makes no topics. Errors are those of the statement.
Result<JobPreview> preview_job(const JobsOptions& options, const Call& call,
                               const JobDefinition& definition);

}  // namespace aichemy::jobs

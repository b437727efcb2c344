"""HR systems: each function writes a canonical table (employees or jobs) as one vendor's export.

They take the table as the simulator types it and everybody's names (`people`).
"""

from analysis.simulate.exports.bamboohr import bamboohr_employees, bamboohr_jobs
from analysis.simulate.exports.hibob import hibob_people, hibob_work_history
from analysis.simulate.exports.oracle import oracle_assignments, oracle_work_relationships
from analysis.simulate.exports.personio import personio_employees, personio_jobs
from analysis.simulate.exports.successfactors import successfactors_employment, successfactors_job_info
from analysis.simulate.exports.ukg import ukg_employees, ukg_jobs
from analysis.simulate.exports.workday import workday_job_changes, workday_workers

__all__ = [
    "bamboohr_employees",
    "bamboohr_jobs",
    "hibob_people",
    "hibob_work_history",
    "oracle_assignments",
    "oracle_work_relationships",
    "personio_employees",
    "personio_jobs",
    "successfactors_employment",
    "successfactors_job_info",
    "ukg_employees",
    "ukg_jobs",
    "workday_job_changes",
    "workday_workers",
]

"""From a finding to a patch of the twin that has been proven. README.md in here tells how."""

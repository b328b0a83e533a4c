// The script of the operator's page.

complete -c evenkeel-gateway -l listen -d 'The address and port to listen on [default: 127.0.0.1:8080]' -r
complete -c evenkeel-gateway -l admin -d 'The address and port of the operator\'s listener: a page, its API, metrics [default: none]' -r
complete -c evenkeel-gateway -l upstream -d 'The origin that requests are sent to, such as https://api.openai.com' -r
complete -c evenkeel-gateway -l config -d 'A file with targets, fallbacks and limits' -r -F
complete -c evenkeel-gateway -l profile -d 'The limits to begin with: interactive or pipeline [default: interactive]' -r
complete -c evenkeel-gateway -l check -d 'Checks the command line and the file, asks every target of the file once, and exits' -r
complete -c evenkeel-gateway -l check-model -d 'The model that --check names for targets without one of their own' -r
complete -c evenkeel-gateway -l probe -d 'Asks the gateway that is running whether it answers, and exits: 0 if it does, 1 if not' -r
complete -c evenkeel-gateway -l chaos -d 'Injects the faults of the table [chaos] of the file, on purpose'
complete -c evenkeel-gateway -s h -l help -d 'Print help (see more with \'--help\')'
complete -c evenkeel-gateway -s V -l version -d 'Print version'

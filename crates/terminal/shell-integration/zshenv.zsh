# Read by zsh first, because ZDOTDIR points here: points it back, reads the user's own file, and has zsh mark its
# prompts and commands for Switchyard. The user's files are not changed; a zsh started from this one is an
# ordinary zsh.

if [[ -n ${SWITCHYARD_ZDOTDIR+set} ]]; then
    export ZDOTDIR=$SWITCHYARD_ZDOTDIR
    unset SWITCHYARD_ZDOTDIR
else
    unset ZDOTDIR
fi

if [[ -o interactive && -z ${__switchyard_on-} ]]; then
    typeset -g __switchyard_on=1

    # $PWD as the path of a URL.
    __switchyard_url() {
        emulate -L zsh -o no_multibyte
        local at char
        for ((at = 1; at <= $#PWD; at++)); do
            char=$PWD[at]
            case $char in
                [A-Za-z0-9/._~-]) printf '%s' $char ;;
                *) printf '%%%02X' "'$char" ;;
            esac
        done
    }

    # Before every prompt: how the command ended, where we are, a prompt begins; and where it will end.
    __switchyard_precmd() {
        local exit_status=$?
        emulate -L zsh
        printf '\e]133;D;%s\a\e]7;file://%s%s\a\e]133;A\a' $exit_status "$HOST" "$(__switchyard_url)"
        if [[ $PS1 != *'133;B'* ]]; then
            PS1=$PS1$'%{\e]133;B\a%}'
        fi
    }

    # Before a command runs. One that begins with a blank stays unnamed.
    __switchyard_preexec() {
        emulate -L zsh
        local command=$1
        [[ $command == ' '* ]] && command=
        command=${command//\\/\\\\}
        command=${command//;/\\x3b}
        command=${command//$'\n'/\\x0a}
        command=${command//[[:cntrl:]]/ }
        printf '\e]633;E;%s\a\e]133;C\a' "$command"
    }

    # First of all, so that it sees how the command ended.
    precmd_functions=(__switchyard_precmd $precmd_functions)
    preexec_functions=($preexec_functions __switchyard_preexec)
fi

if [[ -r ${ZDOTDIR:-$HOME}/.zshenv ]]; then
    source ${ZDOTDIR:-$HOME}/.zshenv
fi

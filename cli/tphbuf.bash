# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for tphbuf(1)

_tphbuf_devices()
{
	local path

	for path in /sys/bus/pci/devices/* /dev/vfio/devices/*; do
		[ -e "$path" ] || continue
		case $path in
		/sys/*) echo "${path##*/}" ;;
		*) echo "$path" ;;
		esac
	done
}

# A PCI address has colons, at which readline breaks words unless they are reassembled.
_tphbuf()
{
	local cur prev words cword verb i

	_init_completion -n : || return
	verb=${words[1]}

	if [ "$cword" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "list probe path exec read write serve get info help \
			--help --version" -- "$cur")
		return
	fi
	if [ "$verb" = exec ] || [ "$verb" = get ]; then
		# Behind "--" stands another command line.
		for ((i = 2; i < cword; i++)); do
			if [ "${words[i]}" = -- ]; then
				_command_offset $((i + 1))
				return
			fi
		done
	fi
	case $prev in
	--sysroot)
		_filedir -d
		return
		;;
	--socket)
		_filedir
		return
		;;
	--user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	--group)
		mapfile -t COMPREPLY < <(compgen -g -- "$cur")
		return
		;;
	--bar)
		mapfile -t COMPREPLY < <(compgen -W "0 1 2 3 4 5" -- "$cur")
		return
		;;
	--ph)
		mapfile -t COMPREPLY < <(compgen -W "0 1 2 3" -- "$cur")
		return
		;;
	--vf-token | --range | --st | --st-ext | --fd | --offset | --length | --buffer | \
		--max-clients | --max-per-user | --timeout | --state)
		return
		;;
	-d | --device)
		mapfile -t COMPREPLY < <(compgen -W "$(_tphbuf_devices)" -- "$cur")
		__ltrim_colon_completions "$cur"
		return
		;;
	esac
	case $verb in
	list)
		mapfile -t COMPREPLY < <(compgen -W "--bound --json --open --sysroot --vf-token --help" -- "$cur")
		;;
	probe)
		mapfile -t COMPREPLY < <(compgen -W "--json --no-open --sysroot --vf-token --help \
			$(_tphbuf_devices)" -- "$cur")
		__ltrim_colon_completions "$cur"
		;;
	path)
		mapfile -t COMPREPLY < <(compgen -W "--json --sysroot --help $(_tphbuf_devices)" -- "$cur")
		__ltrim_colon_completions "$cur"
		;;
	exec)
		mapfile -t COMPREPLY < <(compgen -W "--device --bar --range --st --st-ext --ph --wc \
			--bind --sysroot --vf-token --help --" -- "$cur")
		;;
	serve)
		mapfile -t COMPREPLY < <(compgen -W "--socket --device --bind --max-clients --max-per-user \
			--sysroot --vf-token --help --buffer --bar --range --st --st-ext --ph --wc --user \
			--group --anyone" -- "$cur")
		;;
	get)
		mapfile -t COMPREPLY < <(compgen -W "--socket --timeout --help --" -- "$cur")
		;;
	info)
		mapfile -t COMPREPLY < <(compgen -W "--fd --state --json --help" -- "$cur")
		;;
	read | write)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "--device --bar --range --fd --offset \
				--length --wc --bind --json --sysroot --vf-token --help" -- "$cur")
		else
			_filedir
		fi
		;;
	help)
		mapfile -t COMPREPLY < <(compgen -W "list probe path exec read write serve get info help" -- "$cur")
		;;
	esac
}

complete -F _tphbuf tphbuf

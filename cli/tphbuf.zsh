#compdef tphbuf
# SPDX-License-Identifier: GPL-2.0-or-later
# zsh completion for tphbuf(1)

_tphbuf_devices() {
  local -a devices
  devices=(/sys/bus/pci/devices/*(N:t) /dev/vfio/devices/*(N))
  compadd -a devices
}

_tphbuf() {
  local -a verbs device memory
  verbs=(
    'list:list the devices that VFIO can open or bind'
    'probe:report what a device supports'
    'path:report whether writes of a device arrive with their Steering Tag'
    'exec:export memory of a device, tag it, and run a command'
    'read:read memory of a device with the CPU'
    'write:write memory of a device with the CPU'
    'serve:offer buffers of a device to other processes'
    'get:run a command with a buffer of tphbuf serve'
    'info:describe a dma-buf that was inherited'
    'help:print help on tphbuf or on a subcommand'
  )
  device=('--sysroot[directory in place of /]:directory:_files -/' '(-h --help)'{-h,--help}'[print a help text]')
  memory=(
    $device
    '--vf-token[token of a virtual function]:UUID:'
    '(-d --device)'{-d,--device}'[device]:device:_tphbuf_devices'
    '--bar[BAR]:BAR:(0 1 2 3 4 5)'
    '*--range[part of the BAR]:OFFSET\:LENGTH:'
    '--wc[memory write-combining for the CPU]'
    '--bind[take the device from its driver for as long as needed]'
  )
  if ((CURRENT == 2)); then
    _describe subcommand verbs
    _arguments '(-h --help)'{-h,--help} '(-V --version)'{-V,--version}
    return
  fi
  local verb=${words[2]}
  shift words
  ((CURRENT--))
  case $verb in
  list)
    _arguments $device '--vf-token[token of virtual functions]:UUID:' '--bound[only those that a VFIO driver has]' \
      '--json[for programs]' '--open[open each free device]'
    ;;
  probe)
    _arguments $device '--vf-token[token of a virtual function]:UUID:' '--json[for programs]' \
      '--no-open[do not open the device]' '1:device:_tphbuf_devices'
    ;;
  path)
    _arguments $device '--json[for programs]' '1:device:_tphbuf_devices' '2:peer:_tphbuf_devices'
    ;;
  exec)
    _arguments $memory '--st[8-bit Steering Tag]:tag:' '--st-ext[Extended Steering Tag]:tag:' \
      '--ph[processing hint]:hint:(0 1 2 3)' '*::command:_normal'
    ;;
  serve)
    _arguments $device '--vf-token[token of a virtual function]:UUID:' \
      '(-d --device)'{-d,--device}'[device]:device:_tphbuf_devices' \
      '--bind[take the device from its driver until the end]' '*--wc[memory write-combining for the CPU]' \
      '*--range[part of the BAR]:OFFSET\:LENGTH:' '--socket[UNIX socket to listen on]:socket:_files' \
      '--max-clients[connections at a time]:number:' '--max-per-user[connections per user]:number:' \
      '*--buffer[a buffer; its options follow]:name:' '*--bar[BAR]:BAR:(0 1 2 3 4 5)' \
      '*--st[8-bit Steering Tag]:tag:' '*--st-ext[Extended Steering Tag]:tag:' \
      '*--ph[processing hint]:hint:(0 1 2 3)' '*--user[user who may have it]:user:_users' \
      '*--group[group whose members may have it]:group:_groups' '*--anyone[everyone may have it]'
    ;;
  get)
    _arguments '--socket[socket of tphbuf serve]:socket:_files' '--timeout[how long to wait]:seconds:' \
      '(-h --help)'{-h,--help}'[print a help text]' '1:name:' '*::command:_normal'
    ;;
  info)
    _arguments '--fd[dma-buf that was inherited]:fd:' '--state[whether it is revoked]:offset of a byte to read:' \
      '--json[for programs]' '(-h --help)'{-h,--help}'[print a help text]'
    ;;
  read | write)
    _arguments $memory '--fd[dma-buf that was inherited]:fd:' '--offset[first byte]:bytes:' \
      '--length[bytes]:bytes:' '--json[for programs]' '1:file:_files'
    ;;
  help)
    _describe subcommand verbs
    ;;
  esac
}

_tphbuf "$@"

; What electron-builder's uninstaller does not take away, because the app wrote it while it ran, for this user alone: the start at
; login, and that links are handed to it (Electron's browser_win.cc). Left behind, both would name a program that is gone.
; Not when an update runs the old version's uninstaller: the user's choice is to stay.

; Links only where they still lead to this installation: another program may have them by now.
!macro forgetLinks SCHEME
  ReadRegStr $R0 HKCU "Software\Classes\${SCHEME}\shell\open\command" ""
  StrCpy $R1 '"$INSTDIR\${APP_EXECUTABLE_FILENAME}"'
  StrLen $R2 $R1
  StrCpy $R3 $R0 $R2
  ${if} $R3 == $R1
    DeleteRegKey HKCU "Software\Classes\${SCHEME}"
  ${endIf}
!macroend

!macro customUnInstall
  ${ifNot} ${isUpdated}
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "${APP_ID}"
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run" "${APP_ID}"
    !insertmacro forgetLinks "acestream"
    !insertmacro forgetLinks "ace"
  ${endIf}
!macroend
